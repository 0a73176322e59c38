# SPDX-License-Identifier: Apache-2.0
"""Checks of the shell's own proxy variables."""

from __future__ import annotations

from tests.unit.cli import doctoring


class ProxyEnvironmentTest(doctoring.DoctorTest):
    def site(self, **environ):
        return doctoring.place(environ={"OS_AUTH_URL": "http://keystone.example.org:5000/v3", **environ})

    def test_none(self):
        self.assert_well("network.proxy-environment", self.site())

    def test_one_that_comes_between(self):
        site = self.site(http_proxy="http://proxy.example.org:3128")
        self.assert_named("network.proxy-environment", site, "Keystone", "keystone.example.org", "no_proxy")

    def test_one_that_leaves_the_cloud_out(self):
        site = self.site(http_proxy="http://proxy.example.org:3128", no_proxy="keystone.example.org")
        self.assert_well("network.proxy-environment", site)

# SPDX-License-Identifier: Apache-2.0
"""Proxy settings of a cluster."""

from __future__ import annotations

import json

from sahara import context

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import proxy
from tests.unit.cdh_docker import base


class ProxySettingsTest(base.PluginTestCase):
    def settings(self, **general):
        names = {"http": "HTTP proxy", "https": "HTTPS proxy", "none": "No proxy"}
        configs = {"general": {names[key]: value for key, value in general.items()}}
        return proxy.settings_of(base.cluster(cluster_configs=configs))

    def test_without_a_proxy_there_is_nothing_to_do(self):
        self.assertIsNone(self.settings())
        self.assertIsNone(self.settings(none="example.org"))

    def test_every_node_is_reached_directly(self):
        settings = self.settings(http="http://proxy:3128", none="keystone.example.org, .corp,10.0.0.0/8")
        for instance in (i for group in base.cluster().node_groups for i in group.instances):
            for name in (instance.management_ip, instance.fqdn(), instance.hostname()):
                self.assertIn(name, settings.nodes)
        self.assertEqual(("keystone.example.org", ".corp", "10.0.0.0/8", "localhost", "127.0.0.1"), settings.direct)
        direct = settings.variables()["no_proxy"].split(",")
        self.assertEqual({*settings.direct, *settings.nodes}, set(direct))
        self.assertEqual(len(set(direct)), len(direct))

    def test_the_cloud_s_own_services_are_reached_directly(self):
        public, internal = "https://cloud.example.org:5000/v3", "http://10.1.1.1:8080/v1/AUTH_x"
        endpoints = {
            "v3": [
                {"interface": "public", "url": public}, {"interface": "internal", "url": internal},
                {"interface": "admin", "url": "http://admin.example.org:35357"},
            ],
            "v2": [{"publicURL": public, "internalURL": internal, "adminURL": "http://admin.example.org:35357"}],
        }  # fmt: skip
        for form, listed in endpoints.items():
            catalog = json.dumps([{"type": "identity", "endpoints": listed}, {"type": "none", "endpoints": []}])
            context.set_ctx(context.Context(user_id="user", tenant_id="tenant", service_catalog=catalog))
            settings = self.settings(http="http://proxy:3128")
            self.assertEqual(("localhost", "127.0.0.1", "cloud.example.org", "10.1.1.1"), settings.direct, form)

    def test_the_nodes_of_now_can_be_given(self):
        cluster = base.cluster(cluster_configs={"general": {"HTTP proxy": "http://proxy"}})
        staying = [cluster.node_groups[0].instances[0]]
        self.assertIn("manager-0", proxy.settings_of(cluster, staying).nodes)
        self.assertNotIn("worker-1", proxy.settings_of(cluster, staying).nodes)

    def test_both_spellings_are_set(self):
        variables = self.settings(http="http://u:p%40ss@proxy:3128/").variables()
        self.assertEqual("http://u:p%40ss@proxy:3128", variables["http_proxy"])
        self.assertEqual(variables["http_proxy"], variables["HTTPS_PROXY"])
        self.assertEqual(variables["no_proxy"], variables["NO_PROXY"])

    def test_sahara_conf_has_the_defaults(self):
        self.conf.config(http_proxy="http://site:8080", no_proxy="cloud.example.org", group="sahara_docker")
        self.assertEqual("http://site:8080", self.settings().http)
        self.assertIn("cloud.example.org", self.settings().direct)
        self.assertEqual("http://own:1", self.settings(http="http://own:1").http)

    def test_takes_addresses_of_both_kinds(self):
        for url in ("http://10.0.0.1:3128", "https://proxy.example.org", "http://[2001:db8::1]:3128"):
            self.assertEqual(url, self.settings(http=url).http)

    def test_refuses_what_is_not_a_proxy_s_address(self):
        for url in (
            "proxy:3128",
            "socks5://proxy:1080",
            "http://",
            "http://proxy:99999",
            "http://proxy:3128/path",
            "http://proxy:3128?x",
            'http://proxy:3128"; reboot; "',
            "http://$(reboot):3128",
            "http://proxy:3128\nexport PATH=/tmp",
            "http://u:s3cret`id`@proxy:3128",
            "http://u:s3cret'@proxy:3128",
            " http://proxy",
        ):
            error = self.assertRaises(exceptions.SaharaDockerError, self.settings, http=url)
            self.assertIn("HTTP proxy is not the address of a proxy", str(error))
            self.assertNotIn("s3cret", str(error))

    def test_refuses_what_is_not_a_host_in_no_proxy(self):
        for entry in ("a b", "$(id)", 'x"y', "-n", "a;b"):
            error = self.assertRaises(exceptions.SaharaDockerError, self.settings, http="http://p", none=entry)
            self.assertIn(repr(entry), str(error))

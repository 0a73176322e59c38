# SPDX-License-Identifier: Apache-2.0
"""Errors of users, before anything is made."""

from __future__ import annotations

import types
from unittest import mock

import flask
from sahara.plugins import utils as plugin_utils
from sahara.utils import api as sahara_api

from sahara_docker.plugins.cdh_docker import options, storage, user_values, versions
from tests.unit.cdh_docker import base

SWIFT = {"Enable Swift": True}


class ValidationTest(base.PluginTestCase):
    def setUp(self):
        super().setUp()
        flavor = types.SimpleNamespace(disk=10, ram=2048, vcpus=2)
        patcher = mock.patch.object(plugin_utils, "get_flavor", return_value=flavor)
        patcher.start()
        self.addCleanup(patcher.stop)
        self.handler = versions.VersionFactory().get_version_handler("5.13.0")

    def validate(self, configs=None, **worker):
        groups = [
            base.node_group("manager", base.MANAGER),
            base.node_group("master", base.MASTER),
            base.node_group("worker", base.WORKER, 3, **worker),
        ]
        self.handler.validate(base.cluster(*groups, cluster_configs=configs or {}))

    def refused(self, *parts, **cluster):
        error = self.assertRaises(user_values.InvalidConfig, self.validate, **cluster)
        for part in parts:
            self.assertIn(part, str(error))
        return error

    def test_a_cluster_that_is_right(self):
        self.validate()
        self.validate(
            {"general": {options.COMMAND_TIMEOUT.name: 60, **SWIFT}, "HDFS": {"dfs_replication": "2"}},
            node_configs={"DATANODE": {storage.RESERVED: str(storage.GIB)}},
        )

    def test_numbers_that_are_none(self):
        for config in (
            options.AWAIT_MANAGER_STARTING_TIMEOUT, options.AWAIT_AGENTS_TIMEOUT, options.COMMAND_TIMEOUT,
            options.AGENT_START_ATTEMPTS,
        ):  # fmt: skip
            for number in (0, -1, "soon", 1.5, True, None):
                self.refused(config.name, repr(number), configs={"general": {config.name: number}})

    def test_replication(self):
        for number in (0, "three"):
            self.refused("dfs_replication", repr(number), configs={"HDFS": {"dfs_replication": number}})

    def test_a_reserve_that_leaves_no_room_is_known_before_any_node_is(self):
        for reserved in (10 * storage.GIB, -1, "10 GB"):
            for where in ("node_configs", "configs"):
                self.refused(storage.RESERVED, "node group", **{where: {"DATANODE": {storage.RESERVED: reserved}}})

    def test_a_reserve_is_compared_with_the_volumes_of_cinder(self):
        configs = {"DATANODE": {storage.RESERVED: 15 * storage.GIB}}
        self.validate(node_configs=configs, volumes_per_node=2, volumes_size=20)
        error = self.refused("leaves HDFS no room", node_configs=configs, volumes_per_node=2, volumes_size=15)
        self.assertIn("node group worker", str(error))

    def test_a_proxy_that_is_none(self):
        self.refused("HTTP proxy", configs={"general": {"HTTP proxy": "proxy:3128"}})
        self.refused("No proxy", configs={"general": {"No proxy": "a b"}})

    def test_the_address_of_swift_s_library(self):
        for address in ("ftp://a/b.jar", "http://a", "http://a/b.jar;id", "http://a/$(id)", "/tmp/b.jar"):
            self.refused(options.SWIFT_LIBRARY, configs={"general": {options.SWIFT_LIBRARY: address, **SWIFT}})
            self.validate({"general": {options.SWIFT_LIBRARY: address}})
        error = self.refused(configs={"general": {options.SWIFT_LIBRARY: "http://u:s3cret@a/b.jar", **SWIFT}})
        self.assertNotIn("s3cret", str(error))
        self.validate({"general": {options.SWIFT_LIBRARY: "", **SWIFT}})

    def test_scaling_is_checked_as_well(self):
        worker = base.node_group("worker", base.WORKER, node_configs={"DATANODE": {storage.RESERVED: "much"}})
        self.assertRaises(user_values.InvalidConfig, self.handler.validate_scaling, base.cluster(worker), {}, [])

    def test_the_text_gets_to_the_user_through_sahara_s_api(self):
        error = self.refused(configs={"general": {options.COMMAND_TIMEOUT.name: 0}})
        application = flask.Flask("test")
        with application.test_request_context("/"):
            flask.request.resp_type = sahara_api.RT_JSON
            answer = sahara_api.bad_request(error)
        self.assertEqual(400, answer.status_code)
        self.assertIn("is not a whole number of 1 or more", answer.json["error_message"])

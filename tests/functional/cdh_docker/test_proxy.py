# SPDX-License-Identifier: Apache-2.0
"""Nodes that fetch through a real proxy, and reach each other without it."""

from __future__ import annotations

import io
import zipfile

import testtools
from sahara import conductor
from sahara.plugins import utils as plugin_utils

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import options, proxy, proxy_on_nodes, swift
from tests.functional.cdh_docker import http_proxy, node, sahara_parts

PAGE = "http://outside.example/page"
LIBRARY = "http://repository.example/hadoop-openstack.jar"


def _jar() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
    return content.getvalue()


class ProxyTest(testtools.TestCase):
    """Two nodes for all tests; what a test has brought to them is taken away after it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.network = node.Network()
        cls.nodes = [node.Node(cls.network, f"c1-all-{index}.novalocal") for index in range(2)]
        for fixture in (cls.network, *cls.nodes):
            fixture.setUp()
            cls.addClassCleanup(fixture.cleanUp)
        for each in cls.nodes:
            each.know(*cls.nodes)
        cls.nodes[1].run("mkdir -p /tmp/www; echo from a node >/tmp/www/page")
        cls.nodes[1].run("setsid python3 -m http.server -d /tmp/www 8099 </dev/null >/dev/null 2>&1 &")
        cls.nodes[0].run(f"curl -sS --retry 60 --retry-connrefused --retry-delay 1 http://{cls.nodes[1].address}:8099/")

    def setUp(self):
        super().setUp()
        self.sahara = self.useFixture(sahara_parts.SaharaParts(node.required("SAHARA_DOCKER_TEST_PASSWORD")))
        self.sahara.options.config(node_domain="novalocal")

    def use(self, credentials="", **general):
        """Have a cluster that uses a proxy, and return the proxy."""
        pages = {PAGE: b"from outside", LIBRARY: _jar(), "http://repository.example/page": b"<html>"}
        server = self.useFixture(http_proxy.Proxy(self.network.host, pages, credentials))
        groups = [{"name": "all", "node_processes": ["HDFS_DATANODE"], "node_configs": {}}]
        configs = {"general": {options.HTTP_PROXY.name: server.url, **general}}
        cluster = self.sahara.cluster("c1", groups, cluster_configs=configs)
        for each in self.nodes:
            self.sahara.add_instance(cluster, "all", each.address)
            cluster = conductor.API.cluster_get(self.sahara.ctx, cluster.id)
        self.instances = plugin_utils.get_instances(cluster)
        settings = proxy.settings_of(cluster)
        for instance in self.instances:
            proxy_on_nodes.bring(instance, settings)
            self.addCleanup(proxy_on_nodes.remove, instance)
        for each in self.nodes:
            self.addCleanup(each.run, f"rm -f {swift.LIBRARY} /tmp/by-apt /tmp/of-node")
        self.cluster = cluster
        return server

    def login(self, command):
        with self.instances[0].remote() as remote:
            return remote.execute_command(f"{command} 2>&1", raise_when_error=False)[1].strip()

    def check_everyone_fetches(self, server):
        fetch = f"curl -sS {PAGE}"
        for command in (fetch, f"sudo {fetch}", f"sudo su - -c '{fetch}' hdfs"):
            self.assertEqual("from outside", self.login(command), command)
        self.assertEqual([f"GET {PAGE}"] * 3, server.seen)
        self.login("curl -sS https://secure.example/")
        self.assertEqual("CONNECT secure.example:443", server.seen[-1])
        self.login(f"sudo /usr/lib/apt/apt-helper download-file {PAGE} /tmp/by-apt")
        self.assertEqual("from outside", self.nodes[0].run("cat /tmp/by-apt"))
        self.assertEqual(f"GET {PAGE}", server.seen[-1])

    def check_nodes_reach_each_other(self, server):
        other = self.nodes[1]
        before = len(server.seen)
        for name in (other.address, other.fqdn, "c1-all-1"):
            self.assertEqual("from a node", self.login(f"curl -sS http://{name}:8099/page"))
        self.login(f"sudo /usr/lib/apt/apt-helper download-file http://{other.fqdn}:8099/page /tmp/of-node")
        self.assertEqual("from a node", self.nodes[0].run("cat /tmp/of-node").strip())
        self.assertEqual(before, len(server.seen))

    def test_a_proxy_for_everyone(self):
        server = self.use()
        self.check_everyone_fetches(server)
        self.check_nodes_reach_each_other(server)

    def test_a_proxy_with_a_password(self):
        server = self.use("user:s3cret/@:%")
        self.check_everyone_fetches(server)
        self.check_nodes_reach_each_other(server)
        self.assertEqual(0, server.refused)

    def test_swift_s_library_comes_through_the_proxy(self):
        server = self.use(**{"Enable Swift": True, options.SWIFT_LIBRARY: LIBRARY})
        for _ in range(2):
            swift.bring(self.cluster, self.instances)
        self.assertEqual([f"GET {LIBRARY}"] * 2, server.seen)  # once for each node
        for each in self.nodes:
            self.assertEqual("644", each.run(f"stat -c %a {swift.LIBRARY}").strip())
            self.assertIn("MANIFEST", each.run(f"unzip -l {swift.LIBRARY}"))

    def test_an_image_with_swift_s_library_fetches_nothing(self):
        server = self.use(**{"Enable Swift": True, options.SWIFT_LIBRARY: LIBRARY})
        for each in self.nodes:
            each.run(f"mkdir -p {swift.LIBRARY.rpartition('/')[0]}; echo own >{swift.LIBRARY}")
        swift.bring(self.cluster, self.instances)
        self.assertEqual([], server.seen)
        self.assertEqual("own", self.nodes[0].run(f"cat {swift.LIBRARY}").strip())

    def test_what_is_not_swift_s_library_is_told(self):
        self.use(**{"Enable Swift": True})
        cases = {
            "http://repository.example/page": "not a jar file",
            "http://repository.example/missing.jar": "404",
            "http://127.0.0.1:9/a.jar": "Failed to connect",
            "": "the image has no",
        }
        for address, words in cases.items():
            error = self.assertRaises(exceptions.SaharaDockerError, swift._bring, self.instances[0], address)
            for part in (words, "c1-all-0.novalocal", options.SWIFT_LIBRARY):
                self.assertIn(part, str(error))
            self.assertEqual("", self.nodes[0].run(f"ls {swift.LIBRARY}* 2>/dev/null; true"))

# SPDX-License-Identifier: Apache-2.0
"""HTTP, gateways and proxy commands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import fixtures
from sahara import exceptions as sahara_exceptions

from sahara_docker.ssh import errors
from tests.functional.ssh import base, nodes, sshd


class HttpTest(base.RemoteTestCase):
    def serve(self, node: sshd.SshdContainer) -> int:
        """An HTTP service at the node's address, which it shares with this host; its port."""
        command = [sys.executable, "-u", "-m", "http.server", "--bind", node.address, "0"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        assert server.stdout is not None
        self.addCleanup(server.stdout.close)
        return int(server.stdout.readline().split(" port ")[1].split()[0])

    def test_session_ignores_this_hosts_proxy_and_ends_with_the_node(self) -> None:
        self.useFixture(fixtures.EnvironmentVariable("http_proxy", "http://127.0.0.1:1"))
        self.useFixture(fixtures.EnvironmentVariable("no_proxy", None))
        node = self.node()
        port = self.serve(node)
        instance = nodes.instance(node.address)
        node_remote = self.remotes.remote(instance)
        session = node_remote.get_http_client(port)
        self.assertEqual(200, session.get(f"http://{node.address}:{port}/").status_code)
        self.assertIs(session, node_remote.get_http_client(port))
        node_remote.close_http_session(port)
        self.assertRaises(sahara_exceptions.NotFoundException, node_remote.close_http_session, port)
        node_remote.get_http_client(port)
        self.remotes.forget(instance)
        self.assertEqual({}, self.remotes.sessions)

    def test_proxy_command_carries_ssh_and_http(self) -> None:
        node = self.node()
        port = self.serve(node)
        relay = Path(__file__).with_name("relay.py")
        self.conf.set_override("proxy_command", f"{sys.executable} {relay} {{host}} {{port}}")
        self.addCleanup(self.conf.clear_override, "proxy_command")
        self.conf.set_override("use_rootwrap", False)
        self.addCleanup(self.conf.clear_override, "use_rootwrap")
        node_remote = self.remote(node)
        self.assertEqual((0, "cdh\n"), node_remote.execute_command("id -un"))
        session = node_remote.get_http_client(port)
        for _ in range(2):
            self.assertEqual(200, session.get(f"http://{node.address}:{port}/").status_code)

    def test_gateway_carries_ssh_and_http(self) -> None:
        gateway, inner = self.node(hostname="gateway"), self.node(hostname="inner")
        port = self.serve(inner)
        node_remote = self.remotes.remote(nodes.behind_gateway(gateway.address, inner.address))
        self.assertEqual((0, "inner\n"), node_remote.execute_command("hostname"))
        session = node_remote.get_http_client(port)
        self.assertEqual(200, session.get(f"http://{inner.address}:{port}/").status_code)
        self.assertEqual(2, len(self.remotes.connections))
        gateway.stop_sshd()
        self.assertRaises(errors.SshError, node_remote.execute_command, "hostname")

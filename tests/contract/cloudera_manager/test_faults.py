# SPDX-License-Identifier: Apache-2.0
"""The stand-in's faults on demand, as a client sees them."""

from __future__ import annotations

import base64
import json
import pathlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import fixtures
import testtools
from sahara_plugin_cdh.plugins.cdh.client import api_client

from lab.cloudera_manager import faults
from tests.contract.cloudera_manager.server import MANAGER, Server

CHECKOUT = pathlib.Path(__file__).parents[3]
CREDENTIALS = {
    "Authorization": "Basic " + base64.b64encode(b"admin:admin").decode(),
    "Content-Type": "application/json",
}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class ProcessTest(testtools.TestCase):
    """The programs that the service scripts start."""

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.EnvironmentVariable("no_proxy", "127.0.0.1"))
        self.directory = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.port = free_port()

    def wants(self, **wanted):
        (self.directory / faults.FILE).write_text(json.dumps(wanted))

    def server(self, agent_port=None):
        words = ["-m", "lab.cloudera_manager.server", "--bind", "127.0.0.1", "--port", str(self.port)]
        words += ["--agent-port", str(agent_port or free_port()), "--state", self.directory / "state.json"]
        words += ["--pidfile", self.directory / "pid"]
        process = subprocess.Popen([sys.executable, *words], cwd=CHECKOUT, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait, 20)
        self.addCleanup(process.terminate)
        return process

    def answer(self, path="/api/v8/users", method="GET", body=None):
        """Status of the API's answer; None when nobody listens."""
        data = None if body is None else json.dumps(body).encode()
        url = f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(url, data, CREDENTIALS, method=method)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
                answer.read()
                return answer.status
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except OSError:
            return None

    def register(self, agent_port, name):
        """Say as an agent does that a host is there; no task is ever fetched for it."""
        beat = {
            "hostname": name,
            "session": "s",
            "ip": "127.0.0.1",
            "cores": 1,
            "memory": 2**30,
            "moment": 1,
            "processes": [],
        }
        request = urllib.request.Request(f"http://127.0.0.1:{agent_port}/agent/heartbeat", json.dumps(beat).encode())
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            self.assertEqual(200, answer.status)

    def seen_until(self, *statuses):
        """The answers, each noted when it is another than the one before, until they have ended with these."""
        seen, deadline = [], time.monotonic() + 30
        while tuple(seen[-len(statuses) :]) != statuses:
            if time.monotonic() > deadline:
                raise AssertionError(f"{seen} does not end with {statuses}")
            status = self.answer()
            if [status] != seen[-1:]:
                seen.append(status)
            time.sleep(0.02)
        return seen

    def test_a_first_start_that_is_slow_and_stumbles(self):
        self.wants(start_delay=1, error_seconds=1)
        self.server()
        self.assertEqual([None, 500, 200], self.seen_until(500, 200))
        self.assertTrue((self.directory / "pid").exists())

    def test_a_manager_that_restarts_keeps_its_state(self):
        self.wants(restart_after=4, restart_pause=1)
        process = self.server()
        self.seen_until(200)
        users = {"items": [{"name": "kept", "password": "secret", "roles": []}]}
        self.assertEqual(200, self.answer(method="POST", body=users))
        self.assertEqual([200, None, 200], self.seen_until(200, None, 200))
        self.assertEqual(200, self.answer("/api/v8/users/kept"))
        self.assertIsNone(process.poll())
        # Once only.
        self.assertEqual(0, json.loads((self.directory / faults.FILE).read_text())["restart_after"])

    def test_a_manager_that_is_killed_in_the_middle_of_a_command(self):
        agent_port = free_port()
        process = self.server(agent_port)
        self.seen_until(200)
        self.register(agent_port, MANAGER)
        client = api_client.ApiResource("127.0.0.1", self.port, "admin", "admin", version=8)
        hdfs = client.create_cluster("c1", fullVersion="5.13.0").create_service("hdfs01", "HDFS")
        hdfs.create_role("DN", "DATANODE", MANAGER).update_config({"dfs_data_dir_list": "/kept"})
        command = client.get_cluster("c1").deploy_client_config()
        (child,) = self.await_children(command)
        self.assertEqual((True, True), (command.fetch().active, child.active))
        process.kill()
        process.wait(20)
        self.server(agent_port)
        self.seen_until(200)
        for ended in (command.fetch(), *command.fetch().children):
            self.assertEqual((False, False), (ended.active, ended.success))
            self.assertIn("restarted while this command ran", ended.resultMessage)
        (role,) = client.get_cluster("c1").get_service("hdfs01").get_roles_by_type("DATANODE")
        self.assertEqual(({"dfs_data_dir_list": "/kept"}, "STOPPED"), (role.get_config(), role.roleState))
        self.register(agent_port, MANAGER)
        self.assertGreater(client.get_cluster("c1").deploy_client_config().id, child.id)

    def await_children(self, command):
        deadline = time.monotonic() + 30
        while not len(command.fetch().children):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        return command.fetch().children

    def test_starts_that_fail(self):
        self.wants(failing_starts=2, message="no space left")
        for _ in range(2):
            process = self.server()
            self.assertEqual(1, process.wait(20))
            self.assertIn("no space left", process.stderr.read())
        self.server()
        self.seen_until(200)

    def test_a_file_that_is_none_of_faults_is_told(self):
        self.wants(failing_start=1)
        process = self.server()
        self.assertEqual(1, process.wait(20))
        self.assertIn("failing_start", process.stderr.read())


class CommandTest(testtools.TestCase):
    def test_a_command_that_fails_once(self):
        server = Server()
        self.useFixture(server)
        server.stop()
        (server.root / faults.FILE).write_text('{"failing_commands": {"Restart": 1}, "message": "the disk is full"}')
        server.start()
        server.add_host(MANAGER)
        cluster = server.client().create_cluster("c1", fullVersion="5.13.0")
        outcomes = []
        for _ in range(2):
            command = cluster.restart(False, False)
            while command.active:
                time.sleep(0.02)
                command = command.fetch()
            outcomes.append((command.success, command.resultMessage))
        self.assertEqual((False, "the disk is full"), outcomes[0])
        self.assertTrue(outcomes[1][0], outcomes)

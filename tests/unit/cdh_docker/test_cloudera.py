# SPDX-License-Identifier: Apache-2.0
"""The first contact with a Cloudera Manager, against a real server."""

from __future__ import annotations

import base64
import types

import fixtures

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import cloudera, options, passwords, waiting
from tests.unit.cdh_docker import base
from tests.unit.cdh_docker.http_server import Answer, ScriptedServer

REFUSED = Answer(401, {"message": "bad credentials"})
ECHO = Answer(body={"message": "ready"})
USER = Answer(body={"name": "admin", "roles": ["ROLE_ADMIN"]})


class AwaitManagerTest(base.PluginTestCase):
    def await_manager(self, *answers, timeout=20):
        self.server = self.useFixture(ScriptedServer(*answers))
        self.reports: list[str] = []
        patches = (
            ("cm_session.PORT", self.server.port),
            ("cloudera.status_reporter", lambda cluster: self.reports.append),
        )
        for name, value in patches:
            self.useFixture(fixtures.MonkeyPatch(f"sahara_docker.plugins.cdh_docker.{name}", value))
        self.useFixture(fixtures.MockPatchObject(passwords, "of_cloudera_manager", return_value="own"))
        node = types.SimpleNamespace(management_ip="127.0.0.1", fqdn=lambda: "manager-0.novalocal")
        access = cloudera.Cloudera(types.SimpleNamespace(get_manager=lambda cluster: node))
        limit = {options.AWAIT_MANAGER_STARTING_TIMEOUT.name: timeout}
        return access.await_manager(base.cluster(cluster_configs={"general": limit}))

    def asked(self):
        return [
            (request.method, request.path, base64.b64decode(request.headers["Authorization"].split()[1]).decode())
            for request in self.server.requests
        ]

    def test_the_initial_password_is_replaced_before_anything_else(self):
        client = self.await_manager(ECHO, USER, Answer(body={}), Answer(body={"items": []}))
        client.hosts()
        self.assertEqual(
            [
                ("GET", "/api/v8/tools/echo?message=ready", "admin:admin"),
                ("GET", "/api/v8/users/admin", "admin:admin"),
                ("PUT", "/api/v8/users/admin", "admin:admin"),
                ("GET", "/api/v8/hosts?view=full", "admin:own"),
            ],
            self.asked(),
        )
        self.assertEqual({"name": "admin", "password": "own", "roles": ["ROLE_ADMIN"]}, self.server.requests[2].body)

    def test_a_creation_that_is_taken_up_again_keeps_its_password(self):
        self.await_manager(REFUSED, ECHO)
        self.assertEqual(["admin:admin", "admin:own"], [password for _, _, password in self.asked()])

    def test_an_open_port_is_not_enough(self):
        starting = Answer(503, "<html>Starting</html>", "text/html")
        self.await_manager(starting, starting, REFUSED, ECHO)
        self.assertEqual(["admin:admin"] * 3 + ["admin:own"], [password for _, _, password in self.asked()])

    def test_says_what_it_saw_last(self):
        error = self.assertRaises(
            waiting.WaitTimedOut, self.await_manager, Answer(503, {"message": "no heap"}), timeout=0
        )
        for part in ("an answer from Cloudera Manager not reached in 0 s", "no heap", "manager-0.novalocal"):
            self.assertIn(part, str(error))

    def test_a_stranger_s_password_is_told(self):
        error = self.assertRaises(waiting.WaitTimedOut, self.await_manager, REFUSED, timeout=0)
        self.assertIn("refuses both its initial and the cluster's password", str(error))


class StatusReporterTest(base.PluginTestCase):
    def test_a_wait_ends_with_its_cluster(self):
        for current in (None, base.cluster(status="Deleting")):
            target = "sahara.plugins.conductor.cluster_get"
            self.useFixture(fixtures.MockPatch(target, return_value=current))
            report = cloudera.status_reporter(base.cluster())
            self.assertIn("deleted", str(self.assertRaises(exceptions.SaharaDockerError, report, "waiting")))

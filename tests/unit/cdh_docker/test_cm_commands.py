# SPDX-License-Identifier: Apache-2.0
"""Waiting for commands; the stock decorator is shown to take some failures for successes."""

from __future__ import annotations

import types

import testtools
from sahara_plugin_cdh.plugins.cdh import cloudera_utils as stock

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import cm_client, cm_commands, cm_session, waiting
from tests.unit.cdh_docker.http_server import Answer, ScriptedServer


def command(command_id=7, name="firstRun", active=False, success=True, message=None, children=None, **more):
    answer = {"id": command_id, "name": name, "active": active, "success": success, "resultMessage": message, **more}
    if children is not None:
        answer["children"] = {"items": children}
    return answer


class AwaitCommandsTest(testtools.TestCase):
    def client(self, *states):
        """Return a real client of a server that reports these states one after the other."""

        self.server = self.useFixture(ScriptedServer(*(Answer(body=state) for state in states)))
        session = cm_session.CMSession("127.0.0.1", "admin", "admin", port=self.server.port)
        self.addCleanup(session.close)
        return cm_client.CMClient(session)

    def failure(self, *states):
        return str(
            self.assertRaises(
                cm_commands.CMCommandFailed,
                cm_commands.await_commands,
                self.client(*states),
                [command(active=True)],
                timeout=10,
            )
        )

    def stock_takes_for_success(self, final):
        """Run the stock decorator on the same final state."""
        result = types.SimpleNamespace(
            success=final["success"],
            resultMessage=final["resultMessage"],
            children=[types.SimpleNamespace(**child) for child in final["children"]["items"]],
        )

        @stock.cloudera_cmd
        def run():
            yield types.SimpleNamespace(wait=lambda: result)

        run()

    def test_returns_when_all_have_succeeded(self):
        client = self.client(command(active=True), command(children=[command(8)]))
        cm_commands.await_commands(client, [command(active=True)], timeout=10)
        self.assertEqual(["/api/v8/commands/7"] * 2, [request.path for request in self.server.requests])

    def test_a_synchronous_command_is_not_asked_for(self):
        cm_commands.await_commands(self.client(command()), [command(cm_commands.SYNCHRONOUS_ID)], timeout=10)
        self.assertEqual([], self.server.requests)

    def test_a_failed_synchronous_command_is_a_failure(self):
        failed = command(cm_commands.SYNCHRONOUS_ID, success=False, message="no parcel")
        error = self.assertRaises(
            cm_commands.CMCommandFailed, cm_commands.await_commands, self.client(command()), [failed], timeout=10
        )
        self.assertIn("no parcel", str(error))

    def test_a_failed_synchronous_command_is_not_hidden_by_a_later_one(self):
        failed = command(cm_commands.SYNCHRONOUS_ID, success=False, message="no parcel")
        both = [failed, command(cm_commands.SYNCHRONOUS_ID)]
        for commands in (both, both[::-1]):
            error = self.assertRaises(
                cm_commands.CMCommandFailed, cm_commands.await_commands, self.client(command()), commands, timeout=10
            )
            self.assertIn("no parcel", str(error))

    def test_an_aborted_command_is_seen_to_end(self):
        client = self.client(None, command(active=True), command(success=False))
        cm_commands.abort(client, command(active=True))
        asked = [(request.method, request.path) for request in self.server.requests]
        self.assertEqual([("POST", "/api/v8/commands/7/abort")] + [("GET", "/api/v8/commands/7")] * 2, asked)

    def test_a_command_that_cannot_be_aborted_is_left(self):
        server = self.useFixture(ScriptedServer(Answer(status=400, body={"message": "part of another"})))
        cm_commands.abort(cm_client.CMClient(cm_session.CMSession("127.0.0.1", "a", "a", port=server.port)), command())
        self.assertEqual(1, len(server.requests))

    def test_a_failure_with_successful_children_is_a_failure(self):
        final = command(success=False, message="timed out", children=[command(8)])
        self.assertIn("command firstRun failed: timed out", self.failure(final))
        self.stock_takes_for_success(final)

    def test_a_failure_without_children_in_its_list_is_a_failure(self):
        final = command(success=False, message="nothing to run", children=[])
        self.assertIn("nothing to run", self.failure(final))
        self.stock_takes_for_success(final)

    def test_an_end_without_a_verdict_is_a_failure(self):
        final = command()
        del final["success"]
        self.assertIn("no message", self.failure(final))

    def test_names_the_innermost_failed_children(self):
        role = {"roleRef": {"roleName": "DN_worker_1"}}
        service = {"serviceRef": {"serviceName": "hdfs01"}}
        children = [
            command(8, "Start", success=False, message="1 of 2 failed", **service, children=[
                command(9, "Start", success=False, message="No space left on device", **role),
                command(10, "Start", roleRef={"roleName": "DN_worker_2"}),
            ]),
            command(11, "Deploy", success=False, message="denied", hostRef={"hostId": "h-1"}),
        ]  # fmt: skip
        text = self.failure(command(success=False, message="failed", children=children))
        self.assertIn("Start of DN_worker_1: No space left on device; Deploy of h-1: denied", text)
        self.assertNotIn("1 of 2 failed", text)
        self.assertNotIn("DN_worker_2", text)

    def test_a_cloudera_manager_that_restarts_is_waited_for(self):
        answers = [Answer(status=503, body="starting"), Answer(drop=True), Answer(status=500), Answer(body=command())]
        server = self.useFixture(ScriptedServer(*answers))
        session = cm_session.CMSession("127.0.0.1", "admin", "admin", port=server.port, retry_pauses=())
        client = cm_client.CMClient(session)
        cm_commands.await_commands(client, [command(active=True)], timeout=30)
        self.assertEqual(4, len(server.requests))

    def test_a_command_that_cloudera_manager_does_not_know_is_an_error_at_once(self):
        server = self.useFixture(ScriptedServer(Answer(status=404, body={"message": "no command 7"})))
        client = cm_client.CMClient(cm_session.CMSession("127.0.0.1", "admin", "admin", port=server.port))
        error = self.assertRaises(
            cm_session.CMError, cm_commands.await_commands, client, [command(active=True)], timeout=30
        )
        self.assertIn("no command 7", str(error))

    def test_what_the_watch_saw_is_in_the_failure(self):
        client = self.client(command(active=True), command(success=False, message="host-1 does not answer"))
        error = self.assertRaises(
            cm_commands.CMCommandFailed,
            cm_commands.await_commands,
            client,
            [command(active=True)],
            timeout=10,
            watch=lambda: "no heartbeat of host-1 (its agent was down)",
        )
        self.assertIn("its agent was down", str(error))

    def test_the_watch_can_end_the_wait(self):
        def give_up():
            raise exceptions.SaharaDockerError("the agent of host-1 does not stay up")

        client = self.client(command(active=True))
        error = self.assertRaises(
            exceptions.SaharaDockerError,
            cm_commands.await_commands,
            client,
            [command(active=True)],
            timeout=60,
            watch=give_up,
        )
        self.assertIn("does not stay up", str(error))

    def test_a_command_that_does_not_end_is_given_up(self):
        running = command(active=True, success=None, children=[command(8, "Format", active=True, success=None)])
        error = self.assertRaises(
            waiting.WaitTimedOut, cm_commands.await_commands, self.client(running), [running], timeout=0.3
        )
        self.assertIn("firstRun is at Format", str(error))

# SPDX-License-Identifier: Apache-2.0
"""HTTP to Cloudera Manager, against a real server that misbehaves as told."""

from __future__ import annotations

import base64
import logging
import socket
import urllib.parse

import fixtures
import testtools
from sahara_plugin_cdh.plugins.cdh import exceptions as stock_exceptions
from sahara_plugin_cdh.plugins.cdh.client import api_client

from sahara_docker.plugins.cdh_docker import cm_client, cm_session
from tests.unit.cdh_docker.http_server import Answer, ScriptedServer


class CMSessionTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.pauses = []

    def session(self, port, **options):
        session = cm_session.CMSession("127.0.0.1", "admin", "pässword", port=port, sleep=self.pauses.append, **options)
        self.addCleanup(session.close)
        return session

    def serve(self, *answers):
        return self.useFixture(ScriptedServer(*answers))

    def error(self, session, *request, **arguments):
        return self.assertRaises(cm_session.CMError, session.request, *request, **arguments)

    def test_the_first_request_carries_the_password(self):
        server = self.serve(Answer(body={"items": []}))
        self.assertEqual({"items": []}, self.session(server.port).request("GET", "/hosts"))
        expected = base64.b64encode("admin:pässword".encode()).decode()
        self.assertEqual([f"Basic {expected}"], [request.headers["Authorization"] for request in server.requests])
        self.assertEqual("/api/v8/hosts", server.requests[0].path)

    def test_goes_past_the_proxy_of_the_sahara_host(self):
        server = self.serve(Answer(body={}))
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            self.useFixture(fixtures.EnvironmentVariable(name, "http://127.0.0.1:9"))
        self.useFixture(fixtures.EnvironmentVariable("no_proxy"))
        self.assertEqual({}, self.session(server.port).request("GET", "/clusters"))

    def test_shows_what_cloudera_manager_says(self):
        body = {"message": "Host w-1 has no heartbeat", "causes": ["agent down"]}
        server = self.serve(Answer(400, body))
        error = self.error(self.session(server.port), "POST", "/clusters", body={})
        self.assertEqual(400, error.status)
        self.assertIn("POST /clusters refused: HTTP 400: Host w-1 has no heartbeat; agent down", str(error))

        stock = api_client.ApiResource("127.0.0.1", server.port)
        stock_error = self.assertRaises(stock_exceptions.CMApiException, stock.post, "/clusters")
        self.assertNotIn("heartbeat", stock_error.message)

    def test_shows_the_text_of_an_html_error(self):
        server = self.serve(Answer(403, "<html><h1>Forbidden</h1>by policy</html>", "text/html"))
        self.assertIn("HTTP 403: Forbidden by policy", str(self.error(self.session(server.port), "GET", "/hosts")))

    def test_retries_a_server_error_of_an_idempotent_call(self):
        for method in sorted(cm_session.IDEMPOTENT):
            server = self.serve(Answer(503, {"message": "starting"}), Answer(body={"ok": 1}))
            self.assertEqual({"ok": 1}, self.session(server.port).request(method, "/x"))
            self.assertEqual(2, len(server.requests))

    def test_gives_up_after_the_last_retry(self):
        server = self.serve(Answer(500, {"message": "broken"}))
        self.assertIn("broken", str(self.error(self.session(server.port), "GET", "/x")))
        self.assertEqual(list(cm_session.RETRY_PAUSES), self.pauses)
        self.assertEqual(1 + len(cm_session.RETRY_PAUSES), len(server.requests))

    def test_never_repeats_a_command(self):
        for answer in (Answer(500, {"message": "broken"}), Answer(drop=True)):
            server = self.serve(answer)
            self.error(self.session(server.port), "POST", "/clusters/c/commands/firstRun")
            self.assertEqual(1, len(server.requests))

    def test_does_not_retry_what_the_caller_has_to_mend(self):
        server = self.serve(Answer(404, {"message": "no such cluster"}))
        self.assertEqual(404, self.error(self.session(server.port), "GET", "/clusters/c").status)
        self.assertEqual(1, len(server.requests))

    def test_repeats_a_read_whose_connection_broke(self):
        server = self.serve(Answer(drop=True), Answer(body={"ok": 1}))
        self.assertEqual({"ok": 1}, self.session(server.port).request("GET", "/x"))

    def test_takes_a_lost_deletion_for_done(self):
        server = self.serve(Answer(drop=True), Answer(404, {"message": "not found"}))
        self.assertIsNone(self.session(server.port).request("DELETE", "/hosts/h"))

    def test_names_a_refused_connection(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        error = self.error(self.session(port, retry_pauses=(0.5,)), "POST", "/clusters")
        self.assertEqual([0.5], self.pauses)  # nothing was sent, so that even a POST may be repeated
        self.assertIsNone(error.status)
        self.assertIn(f"[Cloudera Manager 127.0.0.1:{port}] no answer to POST /clusters", str(error))
        self.assertIn("Errno 111", str(error))

    def test_a_silent_server_ends_in_an_error(self):
        server = self.serve(Answer(delay=2, body={}))
        error = self.error(self.session(server.port, read_timeout=0.1, retry_pauses=()), "GET", "/hosts")
        self.assertIn("Read timed out", str(error))

    def test_an_unreadable_answer_is_an_error_of_cloudera_manager(self):
        server = self.serve(Answer(body="{half"))
        self.assertIn("unreadable answer to GET /hosts", str(self.error(self.session(server.port), "GET", "/hosts")))

    def test_a_password_in_the_query_stays_out_of_errors(self):
        secret = {"username": "root/admin", "password": "s3cret"}
        for answer in (Answer(drop=True), Answer(500, {"message": "no"}), Answer(delay=2, body={})):
            server = self.serve(answer)
            session = self.session(server.port, read_timeout=0.1, retry_pauses=())
            error = self.error(session, "POST", "/cm/commands/importAdminCredentials", params=secret)
            self.assertNotIn("s3cret", str(error))
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            session = self.session(unused.getsockname()[1], retry_pauses=())
        self.assertNotIn("s3cret", str(self.error(session, "POST", "/x", params=secret)))


class SecretsTest(testtools.TestCase):
    """The Kerberos call has a password in its query, for Cloudera Manager takes it nowhere else."""

    PASSWORD = "pa ss/w&rd"

    def call(self, port):
        session = cm_session.CMSession("127.0.0.1", "admin", "x", port=port, retry_pauses=(), read_timeout=5)
        cm_client.CMClient(session).import_admin_credentials("sahara/admin@REALM", self.PASSWORD)

    def check(self, text):
        for form in (self.PASSWORD, urllib.parse.quote(self.PASSWORD), urllib.parse.quote_plus(self.PASSWORD), "s/w"):
            self.assertNotIn(form, text)

    def test_not_in_the_log_of_urllib3(self):
        log = self.useFixture(fixtures.FakeLogger(level=logging.DEBUG))
        server = self.useFixture(ScriptedServer(Answer(body={"id": 1})))
        self.call(server.port)
        self.assertIn("password=", server.requests[0].path)
        self.assertIn("importAdminCredentials", log.output)
        self.check(log.output)

    def test_not_in_errors(self):
        quoted = urllib.parse.quote_plus(self.PASSWORD)
        for text in (f"cannot log in with {self.PASSWORD}", f"<h1>POST /x?password={quoted}</h1>"):
            server = self.useFixture(ScriptedServer(Answer(status=500, body=text)))
            self.check(str(self.assertRaises(cm_session.CMError, self.call, server.port)))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.check(str(self.assertRaises(cm_session.CMError, self.call, free.getsockname()[1])))

# SPDX-License-Identifier: Apache-2.0
"""Looks for secrets in everything that work on a node leaves behind, with every logger of the process at DEBUG."""

from __future__ import annotations

import logging
import subprocess
import sys
import traceback
import types
from typing import Any, Callable

import fixtures
import sqlalchemy
from oslo_db import exception as db_exceptions
from sahara import conductor, context
from sahara import exceptions as sahara_exceptions
from sahara.db.sqlalchemy import api as database
from sahara.service.edp.oozie import oozie
from sahara.utils import crypto

from sahara_docker import cluster_extra
from sahara_docker.engine import credentials
from sahara_docker.plugins.cdh_docker import passwords, proxy, proxy_on_nodes
from sahara_docker.ssh import driver, errors, node_password
from tests.functional.ssh import base, nodes

PROXY_PASSWORD = "pr0xy-s3cret"
CONTENT = "c0ntent-s3cret"
ARGUMENTS = "/tmp/arguments"
# Work whose processes end within a moment: each is held long enough to be seen.
_HOLD = """
mv "$(command -v chpasswd)" /usr/local/sbin/the-real-chpasswd
printf '#!/bin/sh\\nsleep 0.5\\nexec /usr/local/sbin/the-real-chpasswd "$@"\\n' > /usr/sbin/chpasswd
chmod 755 /usr/sbin/chpasswd
"""
_WATCH = f"while :; do cat /proc/[0-9]*/cmdline 2> /dev/null | tr '\\0' ' ' >> {ARGUMENTS}; sleep 0.1; done"

# Answers one request as Oozie does when it fails.
_OOZIE = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'<html><HR size="1" noshade="noshade">E0803: IO error<HR size="1" noshade="noshade"></html>'
        self.send_response(500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
server = http.server.HTTPServer((sys.argv[1], 0), Handler)
print(server.server_port, flush=True)
server.handle_request()
"""


class _Everything(logging.Handler):
    """All that loggers are given: texts, stack traces, and arguments as they are."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts += [self.format(record), repr(record.args)]


class AllLoggers(fixtures.Fixture):
    """Every logger of the process at DEBUG, those that are made later as well.

    :ivar output: what they were given.
    """

    def _setUp(self) -> None:
        self._handler = _Everything()
        root = logging.getLogger()
        root.addHandler(self._handler)
        self.addCleanup(root.removeHandler, self._handler)
        known = [logger for logger in logging.root.manager.loggerDict.values() if isinstance(logger, logging.Logger)]
        for logger in [root, *known]:
            self.addCleanup(logger.setLevel, logger.level)
            self.addCleanup(setattr, logger, "disabled", logger.disabled)
            self.addCleanup(setattr, logger, "propagate", logger.propagate)
            logger.setLevel(logging.DEBUG)
            logger.disabled, logger.propagate = False, True

    @property
    def output(self) -> str:
        return "\n".join(self._handler.texts)


class SecretsTest(base.RemoteTestCase):
    def setUp(self) -> None:
        super().setUp()
        cluster_extra.hide_values()
        remote_driver = driver.DockerRemoteDriver()
        remote_driver.remotes = self.remotes
        self.useFixture(fixtures.MonkeyPatch("sahara.utils.remote.DRIVER", remote_driver))
        self.set_option("http_proxy", f"http://user:{PROXY_PASSWORD}@proxy.example.org:3128")
        context.ctx().service_catalog = "[]"
        self.texts: dict[str, str] = {}

    def fails(self, kind: type[Exception], work: Callable[..., Any], *arguments: Any, **values: Any) -> None:
        """Do something that fails, and keep all that the failure says."""
        try:
            work(*arguments, **values)
        except kind as failure:
            key = f"failure {len(self.texts)} of {work.__name__}"
            self.texts[key] = "".join([*traceback.format_exception(failure), repr(failure.args), repr(vars(failure))])
        else:
            self.fail(f"{work.__name__} did not fail")

    def test_they_are_nowhere(self) -> None:
        log = self.useFixture(AllLoggers())
        node = self.node()
        node.run(_HOLD)
        node.container.exec_run(["sh", "-c", _WATCH], user="root", detach=True)
        private, public = crypto.generate_key_pair()
        cluster = nodes.cluster({"worker": node.address}, private_key=private, management_public_key=public)
        instance = nodes.of(cluster)[0]
        conductor.API.cluster_provision_step_add(
            context.ctx(), cluster.id, {"step_name": "work", "step_type": "work", "total": 1}
        )

        self.work(instance, cluster)
        secret = node_password.read(cluster.id)
        assert secret is not None
        own = node_password.derive(secret, instance.instance_id)
        manager = passwords.of_cloudera_manager(cluster)
        self.commands(instance, [self.password, own], manager)
        self.refusals(instance, node)
        self.broken_parts(cluster, secret)

        self.texts["log"] = log.output
        self.texts["arguments on the node"] = node.run(f"cat {ARGUMENTS}")
        shown = conductor.API.cluster_get(context.ctx(), cluster.id, show_progress=True)
        self.texts["API"] = str(shown.to_wrapped_dict())
        body = "".join(private.splitlines()[1:-1])
        secrets = {
            "the image's password": self.password,
            "the cluster's secret": secret,
            "the node's own password": own,
            "the private key": private.splitlines()[3],
            "the private key on one line": body[100:160],
            "Cloudera Manager's password": manager,
            "the proxy's password": PROXY_PASSWORD,
            "a file's content": CONTENT,
        }
        for place, text in self.texts.items():
            for name, value in secrets.items():
                if value in text:
                    at = text.index(value)
                    self.fail(f"{name} is in {place}: ...{text[max(at - 300, 0) : at]}<HERE>...")
        # What was looked at is what it should have been.
        self.assertIn("/bin/sh /usr/sbin/chpasswd", self.texts["arguments on the node"])
        self.assertIn("Executing", self.texts["log"])
        self.assertIn("[SQL parameters hidden", self.texts["log"])
        self.assertIn("paramiko", self.texts["log"])
        self.assertIn("Set up credentials", self.texts["API"])

    def work(self, instance: Any, cluster: Any) -> None:
        instance.remote().check_login(20)
        credentials.secure(cluster, [instance])
        with instance.remote() as remote:
            remote.write_file_to("secret", CONTENT)
            remote.append_to_file("/etc/secret", CONTENT, run_as_root=True)
            remote.replace_remote_string("secret", "file", CONTENT)
        settings = proxy.settings_of(cluster)
        assert settings is not None
        proxy_on_nodes.bring(instance, settings)

    def commands(self, instance: Any, known: list[str], manager: str) -> None:
        """Commands that fail with secrets in them, or put them out. The node itself sees these arguments."""
        remote = instance.remote()
        for value in known:
            self.fails(
                errors.RemoteCommandFailed, remote.execute_command, "cat; cat >&2 /dev/stdin; exit 1", stdin=value
            )
        sql = f"CREATE ROLE scm PASSWORD '{manager}'"
        self.fails(errors.RemoteCommandFailed, remote.execute_command, "cat > /dev/null; exit 1", stdin=sql)
        self.fails(errors.RemoteCommandFailed, remote.write_file_to, "/proc/none", manager)

    def refusals(self, instance: Any, node: Any) -> None:
        others = nodes.cluster({"worker": node.address}, name="others")
        self.fails(errors.PasswordRefused, nodes.of(others)[0].remote().check_login, 30)
        self.fails(sahara_exceptions.TimeoutException, instance.remote().execute_command, "sleep 30", timeout=1)
        server = subprocess.Popen([sys.executable, "-c", _OOZIE, node.address], stdout=subprocess.PIPE, text=True)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        assert server.stdout is not None
        self.addCleanup(server.stdout.close)
        client = oozie.OozieClient(f"http://{node.address}:{server.stdout.readline().strip()}/oozie", instance)
        configuration = f"<configuration>-Dhttp.proxyPassword={PROXY_PASSWORD}</configuration>"
        self.fails(sahara_exceptions.OozieException, client.add_job, configuration, types.SimpleNamespace(extra={}))
        node.stop_sshd()
        node.new_host_keys()
        node.start_sshd()
        self.fails(errors.HostKeyChanged, instance.remote().check_login, 30)

    def broken_parts(self, cluster: Any, secret: str) -> None:
        """A key manager and a database that repeat what they were given."""

        def repeat(*arguments: Any) -> None:
            raise RuntimeError(f"no such secret: {arguments}")

        with fixtures.MonkeyPatch("sahara.service.castellan.utils.get_secret", repeat):
            self.fails(node_password.KeyManagerFailed, node_password.read, cluster.id)
        with fixtures.MonkeyPatch("sahara.service.castellan.utils.delete_secret", repeat):
            node_password._delete(cluster.id, secret)
        with fixtures.MonkeyPatch("sahara.service.castellan.utils.store_secret", repeat):
            other = nodes.cluster({"worker": "192.0.2.1"}, name="third")
            self.fails(node_password.KeyManagerFailed, credentials.secure, other, nodes.of(other))
        with database.get_engine().begin() as connection:
            trigger = "CREATE TRIGGER full BEFORE UPDATE ON clusters BEGIN SELECT RAISE(ABORT, 'full'); END"
            connection.execute(sqlalchemy.text(trigger))
        self.fails(db_exceptions.DBError, cluster_extra.change, cluster.id, "anything", lambda present: 1)
        self.fails(
            db_exceptions.DBError,
            conductor.API.cluster_update,
            context.ctx(),
            cluster.id,
            {"extra": {"reference": secret}},
        )
        with database.get_engine().begin() as connection:
            connection.execute(sqlalchemy.text("DROP TRIGGER full"))

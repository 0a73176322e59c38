# SPDX-License-Identifier: Apache-2.0
"""The Cloudera Manager that is tested: the stand-in, or a real one whose URL is in the environment."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import time
import urllib.parse

import fixtures
import requests

#: ``http://user:password@host:7180`` of a Cloudera Manager with hosts that no cluster uses.
VARIABLE = "SAHARA_DOCKER_CM_URL"
CHECKOUT = pathlib.Path(__file__).parents[3]
STOP_TIMEOUT = 600


class StandIn(fixtures.Fixture):
    """The stand-in in a process of its own, with its agents.

    :param hosts: their names.
    :ivar url: where it answers, without credentials: those of its first login are valid until somebody changes them.
    :ivar has_kerberos: whether a cluster may be given Kerberos.
    """

    credentials = None
    has_kerberos = True

    def __init__(self, hosts: list[str]) -> None:
        super().__init__()
        self.hosts = hosts

    def _setUp(self) -> None:
        directory = self.useFixture(fixtures.TempDir()).path
        words = [sys.executable, "-m", "tests.contract.cloudera_manager.without_hadoop", directory, *self.hosts]
        with open(pathlib.Path(directory, "log"), "w", encoding="utf-8") as log:
            process = subprocess.Popen(
                words, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
        self.useFixture(fixtures.EnvironmentVariable("no_proxy", "127.0.0.1"))
        self.addCleanup(self._end, process)
        assert process.stdout is not None
        self.url = process.stdout.readline().strip()
        if not self.url:
            raise AssertionError(pathlib.Path(directory, "log").read_text(encoding="utf-8"))

    @staticmethod
    def _end(process: subprocess.Popen[str]) -> None:
        process.communicate(timeout=60)

    def remove(self, cluster: str) -> None:
        """Do nothing: it goes with all that it has."""


class Given(fixtures.Fixture):
    """A Cloudera Manager that is there already.

    :param hosts: how many of its hosts are needed that no cluster uses.
    :param address: its URL with the credentials of an administrator.
    :ivar credentials: of the administrator.
    """

    #: Its settings are for all its clusters, and are left alone.
    has_kerberos = False

    def __init__(self, hosts: int, address: str) -> None:
        super().__init__()
        parts = urllib.parse.urlsplit(address)
        self.credentials = (urllib.parse.unquote(parts.username or ""), urllib.parse.unquote(parts.password or ""))
        self.url = parts._replace(netloc=parts.netloc.rpartition("@")[2], path="").geturl()
        self._needed = hosts

    def _setUp(self) -> None:
        free = [host["hostId"] for host in self._ask("GET", "/api/v11/hosts")["items"] if not host.get("clusterRef")]
        if len(free) < self._needed:
            raise AssertionError(f"{self.url} has {len(free)} hosts that no cluster uses; this needs {self._needed}")
        self.hosts = free[: self._needed]

    def _ask(self, method: str, path: str) -> dict:
        answer = requests.request(method, self.url + path, auth=self.credentials, timeout=60)
        if answer.status_code != 200:
            raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    def remove(self, cluster: str) -> None:
        """Stop a cluster and remove it, if it is there."""
        path = f"/api/v8/clusters/{cluster}"
        if cluster not in [item["name"] for item in self._ask("GET", "/api/v8/clusters")["items"]]:
            return
        command = self._ask("POST", f"{path}/commands/stop")
        deadline = time.monotonic() + STOP_TIMEOUT
        while command["active"] and time.monotonic() < deadline:
            time.sleep(0.2)
            command = self._ask("GET", f"/api/v8/commands/{command['id']}")
        if not command.get("success"):
            raise AssertionError(f"{cluster} cannot be stopped and stays: {command.get('resultMessage')}")
        self._ask("DELETE", path)


def manager(hosts: int) -> StandIn | Given:
    """Return the Cloudera Manager to test, with at least so many hosts that no cluster uses."""
    address = os.environ.get(VARIABLE)
    return Given(hosts, address) if address else StandIn([f"node-{number}.contract.test" for number in range(hosts)])

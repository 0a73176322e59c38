# SPDX-License-Identifier: Apache-2.0
"""A Docker daemon of a test's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from typing import Mapping

import fixtures

from sahara_docker import exceptions
from sahara_docker.cli import daemon


class Dockerd(fixtures.Fixture):
    """Runs dockerd with *flags* and *environment* until the test ends; ``daemon`` is what the command sees of it.

    It has no bridge and makes no rules, so that it leaves no trace on the machine.

    :param data_root: where its images go; a directory of its own when empty.
    :param command: what dockerd is started by, such as ``("setpriv", ...)``.
    """

    def __init__(
        self,
        *flags: str,
        environment: Mapping[str, str] | None = None,
        data_root: str = "",
        command: tuple[str, ...] = (),
    ) -> None:
        self._flags, self._environment = flags, dict(environment or {})
        self._data_root, self._command = data_root, command

    def _setUp(self) -> None:
        directory = self.useFixture(fixtures.TempDir()).path
        root = self._data_root or os.path.join(directory, "root")
        log = open(os.path.join(directory, "log"), "w+b")  # noqa: SIM115 - as long as the daemon
        self.addCleanup(log.close)
        settings = os.path.join(directory, "daemon.json")
        with open(settings, "w") as stream:
            stream.write("{}")
        clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        self._process = subprocess.Popen(
            [
                *self._command, shutil.which("dockerd") or "/usr/sbin/dockerd", f"--host=unix://{directory}/s",
                f"--data-root={root}", f"--exec-root={directory}/exec", f"--pidfile={directory}/pid",
                f"--config-file={settings}", "--bridge=none", "--iptables=false", "--ip6tables=false",
                "--ip-forward=false", *self._flags,
            ],
            stdout=log, stderr=log, env={**clean, **self._environment}, start_new_session=True,
        )  # fmt: skip
        self.addCleanup(self._stop)
        self.daemon = daemon.Daemon(f"unix://{directory}/s")
        deadline = time.monotonic() + 60
        while True:
            try:
                self.daemon.info()
                return
            except exceptions.SaharaDockerError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise AssertionError(f"dockerd does not start: {error}: {log.read()[-1000:]!r}") from error
            time.sleep(0.1)

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

# SPDX-License-Identifier: Apache-2.0
"""A MariaDB server of a test's own, with Sahara's tables: SQLite has no row locks and one writer at a time."""

from __future__ import annotations

import getpass
import itertools
import subprocess
import time
from pathlib import Path

import fixtures

_START, _STOP = 60, 20


class MariaDB(fixtures.Fixture):
    """A server that listens on a socket in its own temporary directory only."""

    def _setUp(self) -> None:
        home = Path(self.useFixture(fixtures.TempDir()).path)
        socket = home / "socket"
        user = f"--user={getpass.getuser()}"
        place = f"--datadir={home / 'data'}"
        install = ["mariadb-install-db", "--no-defaults", user, place, "--skip-test-db"]
        subprocess.run([*install, "--auth-root-authentication-method=normal"], check=True, capture_output=True)
        server = ["/usr/sbin/mariadbd", "--no-defaults", user, place, f"--socket={socket}", "--skip-networking"]
        self._process = subprocess.Popen(
            [*server, f"--pid-file={home / 'pid'}", "--innodb-flush-method=nosync", "--skip-log-bin"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(self._end)
        self._socket = socket
        self._numbers = itertools.count()
        deadline = time.monotonic() + _START
        while self._execute("SELECT 1").returncode:
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise AssertionError("MariaDB does not start")
            time.sleep(0.05)

    def create_database(self) -> str:
        """An empty database; its URL for SQLAlchemy."""
        name = f"sahara{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name}").check_returncode()
        return f"mysql+pymysql://root@localhost/{name}?unix_socket={self._socket}&charset=utf8"

    def _execute(self, statement: str) -> subprocess.CompletedProcess:
        client = ["mariadb", "--no-defaults", "--user=root", f"--socket={self._socket}"]
        return subprocess.run([*client, f"--execute={statement}"], capture_output=True, check=False)

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

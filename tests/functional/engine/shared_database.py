# SPDX-License-Identifier: Apache-2.0
"""Sahara on a database that several processes share."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import fixtures
from oslo_config import cfg
from oslo_db import options
from sahara import conductor, context
from sahara.db.sqlalchemy import api as database
from sahara.tests.unit import base

from sahara_docker import cluster_extra
from sahara_docker.engine import lease
from tests.functional.engine import mariadb

ROOT = Path(__file__).parents[3]
_LONGEST = 120.0


class Program(fixtures.Fixture):
    """An engine's process: ``engine_process`` with some words.

    It writes to files: Sahara's green threads make a reader of a pipe stop the whole test process.
    """

    def __init__(self, *words: object) -> None:
        super().__init__()
        self._words = [str(word) for word in words]

    def _setUp(self) -> None:
        home = Path(self.useFixture(fixtures.TempDir()).path)
        self._output, self._errors = home / "output", home / "errors"
        with self._output.open("w") as output, self._errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-u", "-m", "tests.functional.engine.engine_process", *self._words],
                stdout=output,
                stderr=errors,
                cwd=ROOT,
            )
        self.addCleanup(self._end)

    def _end(self) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def said(self) -> list[str]:
        """The lines that it has printed so far."""
        return self._output.read_text().splitlines()

    def expect(self, line: str) -> None:
        try:
            wait_for(lambda: line in self.said, f"{self._words} says {line!r}")
        except AssertionError as failure:
            raise AssertionError(f"{failure}; it has said {self.said} and {self._errors.read_text()[-2000:]}") from None


def wait_for(check: Any, what: str) -> None:
    deadline = time.monotonic() + _LONGEST
    while not check():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {_LONGEST:.0f} s: {what}")
        time.sleep(0.05)


class SharedDatabaseTestCase(base.SaharaTestCase):
    """A test process and engine processes on one MariaDB, with a database for each test."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.server = mariadb.MariaDB()
        cls.server.setUp()
        cls.addClassCleanup(cls.server.cleanUp)

    def setUp(self) -> None:
        super().setUp()
        self.url = self.server.create_database()
        options.set_defaults(cfg.CONF)
        self.override_config("connection", self.url, "database")
        self.useFixture(fixtures.MonkeyPatch("sahara.db.sqlalchemy.api._FACADE", None))
        database.setup_db()
        self.addCleanup(lambda: database.get_engine().dispose())
        self.setup_context()

    def cluster(self, name: str = "demo", **values: Any) -> Any:
        made = conductor.API.cluster_create(
            context.ctx(), {"name": name, "plugin_name": "fake", "hadoop_version": "0.1", "node_groups": []}
        )
        return conductor.API.cluster_update(context.ctx(), made, values) if values else made

    def read(self, cluster: Any) -> Any:
        return conductor.API.cluster_get(context.ctx(), cluster.id)

    def lease(self, cluster: Any) -> Any:
        return cluster_extra.read(self.read(cluster), lease.KEY)

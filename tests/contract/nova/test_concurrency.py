# SPDX-License-Identifier: Apache-2.0
"""What the driver does beside Nova's own work, in a process that runs on eventlet and in one of native threads."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import threading
from typing import Any

import docker
import fixtures
import testtools
from testtools import content

from sahara_docker.nova import limits
from tests.contract.nova import concurrency
from tests.functional.nova import environment

_CHECKOUT = pathlib.Path(__file__).parents[3]
_LIMIT = 120  # seconds


class ComputeProcess(fixtures.Fixture):
    """A ``compute_process``; ``said`` is what it writes, and ends when the process does or after some minutes."""

    def __init__(self, variables: dict[str, str]) -> None:
        self._variables = variables

    def _setUp(self) -> None:
        log = pathlib.Path(self.useFixture(fixtures.TempDir()).path, "log")
        words = [sys.executable, "-W", "ignore", "-m", "tests.contract.nova.compute_process"]
        variables = {**os.environ, **self._variables}
        with log.open("wb") as errors:
            self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, cwd=_CHECKOUT, env=variables)
        self.addCleanup(self.process.stdout.close)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        timer = threading.Timer(_LIMIT, self.process.kill)
        timer.start()
        self.addCleanup(timer.cancel)
        self.addDetail("log", content.content_from_file(str(log)))
        self.said = map(json.loads, self.process.stdout)

    def until(self, word: str, value: Any = None) -> dict[str, Any]:
        """Return the next line that has *word*, when *value* is given as its value.

        :raises AssertionError: none comes.
        """
        for line in self.said:
            if word in line and value in (None, line[word]):
                return line
        raise AssertionError(f"no {word} {value or ''}; the process has ended, or was ended after {_LIMIT} s")


class ConcurrencyTest(testtools.TestCase):
    def test_container_s_end_is_heard_and_the_service_ends_in_every_way_to_run_it(self) -> None:
        environment.test_image()
        for way, variables in concurrency.ways().items():
            process = self.useFixture(ComputeProcess(variables))
            begun = process.until("container")
            self.assertEqual(way == "eventlet", begun["eventlet"])
            self.assertEqual(limits.daemon_ceilings(environment.docker_host()), begun["ceilings"])
            with contextlib.closing(docker.from_env()) as client:
                self.addCleanup(environment.remove_containers, client, begun["host"])
                container = client.containers.get(begun["container"])
                container.exec_run(["sh", "-c", "kill -KILL $(cat /proc/1/task/1/children)"])
                self.assertEqual("the first process ended with status 137", process.until("event", "exit")["what"])
                process.until("event", "Stopped")
                process.process.terminate()
                self.assertEqual({"watches": False}, process.until("watches"))
                self.assertEqual(0, process.process.wait(timeout=60), way)
                label = {"label": f"nova.host={begun['host']}"}
                self.assertEqual([], client.containers.list(all=True, filters=label))

# SPDX-License-Identifier: Apache-2.0
"""The suites whose process Nova's tests prepare from its start, each in every way to run Nova."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
from concurrent import futures

import testtools
from testtools import matchers

from tests.contract.nova import concurrency
from tests.functional.nova import environment

_CHECKOUT = pathlib.Path(__file__).parents[3]


class SuiteTest(testtools.TestCase):
    def assert_passes(self, suite: str, *, at_least: int) -> None:
        environment.test_image()
        ways = concurrency.ways()
        with futures.ThreadPoolExecutor() as pool:
            runs = dict(zip(ways, pool.map(lambda variables: _run(suite, variables), ways.values())))
        for way, done in runs.items():
            self.assertEqual(0, done.returncode, f"{way}: {done.stderr[-20000:]}")
            (count,) = re.findall(r"^Ran (\d+) tests", done.stderr, re.M)
            self.assertThat(int(count), matchers.GreaterThan(at_least - 1))
            self.assertNotIn("skipped", done.stderr[-200:])

    def test_nova_s_own_suite_for_drivers(self) -> None:
        self.assert_passes("virt_driver_suite", at_least=61)

    def test_requests_to_nova_s_services(self) -> None:
        self.assert_passes("services_suite", at_least=5)


def _run(suite: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "-m", "unittest", f"tests.contract.nova.{suite}"]
    variables = {**os.environ, **variables, "OS_DEBUG": "0"}
    return subprocess.run(command, capture_output=True, text=True, timeout=800, cwd=_CHECKOUT, env=variables)

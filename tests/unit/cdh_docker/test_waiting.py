# SPDX-License-Identifier: Apache-2.0
"""Bounded waits, on a clock of the test's own."""

from __future__ import annotations

import testtools

from sahara_docker.plugins.cdh_docker import waiting


class WaitForTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.now = 0.0
        self.pauses = []
        self.reports = []

    def sleep(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds

    def wait(self, probe, timeout=60):
        return waiting.wait_for(
            probe,
            what="rain",
            timeout=timeout,
            where="sky",
            remedy="dance",
            report=self.reports.append,
            clock=lambda: self.now,
            sleep=self.sleep,
        )

    def true_at(self, moment):
        def probe():
            if self.now < moment:
                raise waiting.NotYet(f"only clouds at {self.now:.0f}")
            return "wet"

        return probe

    def test_returns_at_once_what_the_probe_returns(self):
        self.assertEqual("wet", self.wait(self.true_at(0)))
        self.assertEqual([], self.pauses)

    def test_starts_short_and_backs_off(self):
        self.wait(self.true_at(30))
        self.assertEqual(waiting.FIRST_PAUSE, self.pauses[0])
        self.assertEqual(sorted(self.pauses), self.pauses)
        self.assertEqual(waiting.LONGEST_PAUSE, self.pauses[-1])

    def test_gives_up_with_the_last_observation(self):
        error = self.assertRaises(waiting.WaitTimedOut, self.wait, self.true_at(1000), timeout=20)
        self.assertEqual(20, self.now)
        self.assertEqual("[sky] rain not reached in 20 s: only clouds at 20; dance", str(error))

    def test_probes_once_even_without_time(self):
        self.assertEqual("wet", self.wait(self.true_at(0), timeout=0))

    def test_reports_while_it_takes_long_and_takes_the_report_back(self):
        self.wait(self.true_at(25))
        self.assertEqual(3, len(self.reports))
        self.assertIn("Waiting for rain, 1", self.reports[0])
        self.assertEqual("", self.reports[-1])

    def test_reports_nothing_on_a_short_wait(self):
        self.wait(self.true_at(3))
        self.assertEqual([], self.reports)

    def test_another_error_ends_the_wait(self):
        self.assertRaises(ZeroDivisionError, self.wait, lambda: 1 / 0)

    def test_takes_its_report_back_also_when_the_wait_fails(self):
        def probe():
            if self.now > 20:
                raise ValueError("no sky")
            raise waiting.NotYet("clouds")

        self.assertRaises(ValueError, self.wait, probe)
        self.assertEqual("", self.reports[-1])
        self.assertRaises(waiting.WaitTimedOut, self.wait, self.true_at(1000), timeout=20)
        self.assertEqual("", self.reports[-1])

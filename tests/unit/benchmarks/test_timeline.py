# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime

import testtools

from benchmarks import timeline

LOG = """\
2026-11-22 18:00:00.500 7 INFO sahara.utils [req-1] Cluster status has been changed. New status=Active
2026-11-22 18:27:01.250 7 INFO sahara.utils [req-2] Cluster status has been changed. New status=Scaling: Spawning
2026-11-22 18:27:02.000 7 INFO sahara.main [req-2] something else, about status=Error
2026-11-22 18:27:09.750 7 INFO sahara.utils [req-2] [instance: none, cluster: c] \
Cluster status has been changed. New status=Active\x1b[00m
"""


def at(text: str) -> float:
    return datetime.datetime.strptime(text, "%H:%M:%S.%f").replace(2026, 11, 22).timestamp()


def command(name: str, began: str, ended: str, role: str = "", children: tuple = ()) -> dict:
    times = {"startTime": f"2026-11-22T18:{began}Z", "endTime": f"2026-11-22T18:{ended}Z"}
    reference = {"roleRef": {"roleName": role}} if role else {}
    return {"name": name, **times, **reference, "children": {"items": list(children)}}


class ChangesTest(testtools.TestCase):
    def test_those_of_the_log_since_a_moment(self):
        self.assertEqual(
            [(at("18:27:01.25"), "Scaling: Spawning"), (at("18:27:09.75"), "Active")],
            timeline.changes(LOG, at("18:27:00.0")),
        )


class PhasesTest(testtools.TestCase):
    def test_they_fill_the_whole_time(self):
        changes = [
            timeline.Change(12.0, "Validating"),
            timeline.Change(13.5, "Spawning"),
            timeline.Change(20.0, "Active"),
        ]
        self.assertEqual({"requested": 2.0, "Validating": 1.5, "Spawning": 6.5}, timeline.phases(10.0, changes, 20.0))

    def test_a_status_that_comes_twice_counts_twice(self):
        changes = [timeline.Change(moment, status) for moment, status in ((0.0, "a"), (1.0, "b"), (3.0, "a"))]
        self.assertEqual({"a": 5.0, "b": 2.0}, timeline.phases(0.0, changes, 7.0))

    def test_what_came_after_the_end_does_not_count(self):
        changes = [timeline.Change(1.0, "a"), timeline.Change(9.0, "b")]
        self.assertEqual({"requested": 1.0, "a": 2.0}, timeline.phases(0.0, changes, 3.0))


class PartsTest(testtools.TestCase):
    def test_a_command_and_its_children(self):
        start = command("Start", "00:01.000", "00:03.500", "NN")
        parts = list(timeline.parts(command("FirstRun", "00:00.000", "00:10.000", children=(start,))))
        self.assertEqual([("FirstRun", "", 10.0), ("Start", "NN", 2.5)], [(p.name, p.role, p.seconds) for p in parts])

    def test_the_slowest_start_of_each_type(self):
        starts = [
            command("Start", "00:00.000", "00:02.000", "DN_1"),
            command("Start", "00:01.000", "00:05.000", "DN_2"),
            command("Stop", "00:06.000", "00:56.000", "DN_1"),
            command("Start", "00:00.000", "00:01.000", "of another cluster"),
        ]
        parts = [part for one in starts for part in timeline.parts(one)]
        self.assertEqual({"DATANODE": 4.0}, timeline.longest_starts(parts, {"DN_1": "DATANODE", "DN_2": "DATANODE"}))

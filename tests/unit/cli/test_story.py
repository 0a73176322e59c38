# SPDX-License-Identifier: Apache-2.0
"""From snapshots to events, waits, a summary and a picture; the documents have the shape of the services' own."""

from __future__ import annotations

import datetime
import xml.etree.ElementTree as ElementTree

import testtools

from sahara_docker import exceptions
from sahara_docker.cli import cluster
from sahara_docker.cli.watch import command, lines, screen, sources, story, timeline

T = "2026-01-31T12:00:{:02d}".format


def step(number, name, began, ended=None, *, good=True, total=2, events=()):
    return {
        "id": f"s{number}", "step_name": name, "total": total, "successful": good if ended is not None else None,
        "created_at": T(began), "updated_at": T(ended) if ended is not None else None, "events": list(events),
    }  # fmt: skip


def done(number, node, at, good=True, info=None):
    return {"id": f"e{number}", "instance_name": node, "successful": good, "event_info": info, "created_at": T(at)}


def snapshot(status="Spawning", steps=(), reason="", **more):
    instances = [
        {"instance_name": f"c-worker-{n}", "instance_id": f"i{n}", "management_ip": f"10.0.0.{n}"} for n in (0, 1)
    ]
    group = {"name": "worker", "node_processes": ["HDFS_DATANODE"], "flavor_id": "f", "instances": instances}
    document = {
        "id": "c" * 8, "name": "c", "status": status, "status_description": reason, "plugin_name": "cdh_docker",
        "node_groups": [group], "created_at": T(0), "updated_at": T(1), "provision_progress": list(steps),
    }  # fmt: skip
    return sources.Snapshot(cluster.Cluster(document), **more)


class StoryTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.story = story.Story()

    def texts(self, *arguments, **more):
        return [f"{one.subject}: {one.text}" for one in self.story.observe(snapshot(*arguments, **more))]

    def test_events_come_once_and_in_their_order(self):
        first = self.texts(steps=[step(1, "Configure", 2, events=[done(1, "c-worker-0", 3)])])
        self.assertEqual(
            ["cluster: c was asked for", "cluster: Spawning", "Configure: of 2 began", "Configure, c-worker-0: done"],
            first,
        )
        self.assertEqual([], self.texts(steps=[step(1, "Configure", 2, events=[done(1, "c-worker-0", 3)])]))
        self.assertEqual(["Configure: done"], self.texts(steps=[step(1, "Configure", 2, 5)]))

    def test_failures_are_told_with_their_cause(self):
        events = [done(1, "c-worker-1", 3, good=False, info="password refused")]
        self.assertIn(
            "Configure, c-worker-1: FAILED: password refused",
            self.texts(steps=[step(1, "Configure", 2, events=events)]),
        )
        server = {"status": "ERROR", "updated": T(4), "fault": {"message": "No valid host"}}
        self.assertEqual(["c-worker-0: ERROR: No valid host"], self.texts(
            steps=[step(1, "Configure", 2, events=events)], servers={"i0": server}))  # fmt: skip
        heat = [{"id": "h", "event_time": T(5), "resource_name": "r", "resource_status": "CREATE_FAILED",
                 "resource_status_reason": "quota"}]  # fmt: skip
        self.assertIn("r: CREATE_FAILED: quota", self.texts(heat=heat))

    def test_what_is_being_waited_for(self):
        self.story.observe(snapshot(
            steps=[step(1, "Configure", 2, events=[done(1, "c-worker-0", 3)])], reason="login refused"))  # fmt: skip
        (waiting,) = self.story.waiting()
        self.assertEqual("Configure: 1 of 2, not yet c-worker-1 (login refused)", waiting.what)
        self.assertEqual(sources.moment(T(2)), waiting.since)
        self.assertIn("since 12:00:02 (1 min 05 s)", lines.waiting(waiting, sources.moment("2026-01-31T12:01:07Z")))
        self.assertFalse(self.story.finished())

    def test_a_command_of_cloudera_manager_is_waited_for(self):
        commands = [{"id": 7, "name": "FirstRun", "startTime": "2026-01-31T12:00:09.123Z"}]
        self.story.observe(snapshot(status="Starting", commands=commands))
        self.assertIn("Cloudera Manager's command FirstRun", self.story.waiting()[0].what)

    def test_the_end(self):
        self.story.observe(snapshot(status="Active"))
        self.assertTrue(self.story.finished())
        job = {"id": "j" * 8, "created_at": T(9), "start_time": T(9), "info": {"status": "RUNNING"}}
        self.story.observe(snapshot(status="Active", jobs=[job]))
        self.assertFalse(self.story.finished())
        self.story.observe(sources.Snapshot(None))
        self.assertTrue(self.story.finished())

    def test_a_job_that_fails_says_why(self):
        info = {"status": "FAILED", "error": "exit code [1]\n\tat Main.main(Main.java:7)\n  no milk today\n"}
        job = {"id": "j" * 8, "created_at": T(9), "end_time": T(20), "info": info}
        self.story.observe(snapshot(status="Active"))
        self.assertEqual(["jjjjjjjj: FAILED: exit code [1]; no milk today"], self.texts(status="Active", jobs=[job]))

    def test_health_is_news_when_it_is_bad_or_changes(self):
        good, bad = ({"roleState": "STARTED", "healthSummary": health} for health in ("GOOD", "BAD"))
        self.story.observe(snapshot())
        self.assertEqual([], self.texts(roles={"DN": good}))
        self.assertEqual(["DN: STARTED, health BAD"], self.texts(roles={"DN": bad}))
        self.assertEqual(["DN: STARTED, health GOOD"], self.texts(roles={"DN": good}))

    def tale(self):
        action = {"action": "create", "start_time": T(2), "updated_at": T(12)}
        job = {"id": "j" * 8, "created_at": T(40), "start_time": T(40), "end_time": T(50), "info": {"status": "KILLED"}}
        self.story.observe(snapshot(
            status="Active", servers={"i0": {"status": "ACTIVE"}}, actions={"i0": [action]}, jobs=[job],
            steps=[step(2, "Start <first>", 10, 40, good=False), step(1, "Create", 2, 20)],
        ))  # fmt: skip

    def test_summary(self):
        self.tale()
        text = "\n".join(lines.summary(self.story))
        for words in (
            "c is Active; 2 nodes; 40 s in all",
            "18 s   45%  Create",
            "30 s   75%  Start <first>  FAILED",
            "2 s    5%  before, between and after",
            "slowest node: c-worker-0, 10 s",
            "10 s, FAILED",
        ):
            self.assertIn(words, text)

    def test_picture(self):
        self.tale()
        root = ElementTree.fromstring(timeline.svg(self.story))
        names = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
        for name in ("Create", "Start <first>", "c-worker-0", "job jjjjjjjj", "30 s"):
            self.assertIn(name, names)
        bars = [one for one in root.iter("{http://www.w3.org/2000/svg}rect") if one.get("x")]
        self.assertEqual(4, len(bars))

    def test_screen_stays_within_the_terminal(self):
        events = self.story.observe(snapshot(steps=[step(n, f"Step {n}", n, n + 1) for n in range(40)]))
        for height in (10, 24, 60):
            drawn = screen.draw(self.story, events, width=80, height=height)
            rows = drawn.replace(screen.HOME_AND_CLEAR, "").split("\n")
            self.assertLess(len(rows), height)
            self.assertLess(max(map(len, rows)), 80)
        self.assertIn("Step 39", drawn)

    def test_since(self):
        self.assertIsNone(command.since(None))
        self.assertEqual(sources.moment(T(5)), command.since(T(5)))
        ago = story.now() - command.since("10m")
        self.assertEqual(10, round(ago / datetime.timedelta(minutes=1)))
        self.assertRaises(exceptions.SaharaDockerError, command.since, "yesterday")

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading

import testtools
from testtools import matchers

from lab import plan


class OrderTest(testtools.TestCase):
    def test_needs_come_first(self):
        steps = [plan.Step("c", list, ("a", "b")), plan.Step("b", list, ("a",)), plan.Step("a", list)]
        self.assertEqual(["a", "b", "c"], [step.name for step in plan.ordered(steps)])

    def test_a_circle_is_named(self):
        steps = [plan.Step("a", list, ("b",)), plan.Step("b", list, ("a",)), plan.Step("free", list)]
        error = self.assertRaises(ValueError, plan.ordered, steps)
        self.assertThat(str(error), matchers.Contains("['a', 'b']"))

    def test_an_unknown_need_is_named(self):
        error = self.assertRaises(ValueError, plan.ordered, [plan.Step("a", list, ("nowhere",))])
        self.assertThat(str(error), matchers.Contains("nowhere"))

    def test_a_name_used_twice_is_named(self):
        error = self.assertRaises(ValueError, plan.ordered, [plan.Step("a", list), plan.Step("a", list)])
        self.assertThat(str(error), matchers.Contains("'a'"))


class RunTest(testtools.TestCase):
    def test_independent_steps_overlap_and_needs_are_kept(self):
        meeting = threading.Barrier(2, timeout=5)  # breaks unless both steps are running at once
        done: list[str] = []
        steps = [
            plan.Step("left", meeting.wait),
            plan.Step("right", meeting.wait),
            plan.Step("after", lambda: done.append("after"), ("left", "right")),
        ]
        ended: list[str] = []
        plan.run(steps, lambda event: ended.append(event.step) if event.seconds is not None else None)
        self.assertEqual(["after"], done)
        self.assertEqual("after", ended[-1])
        self.assertEqual({"left", "right", "after"}, set(ended))

    def test_a_failure_names_its_step_and_stops_what_needs_it(self):
        def fail():
            raise OSError("disk on fire")

        done: list[str] = []
        steps = [plan.Step("bad", fail), plan.Step("later", lambda: done.append("later"), ("bad",))]
        error = self.assertRaises(plan.StepFailed, plan.run, steps, lambda event: None)
        self.assertEqual("bad", error.step)
        self.assertIsInstance(error.__cause__, OSError)
        self.assertEqual([], done)

    def test_a_cancelled_plan_starts_nothing_more(self):
        cancelled = threading.Event()
        done: list[str] = []
        steps = [plan.Step("first", cancelled.set), plan.Step("second", lambda: done.append("x"), ("first",))]
        plan.run(steps, lambda event: None, cancelled)
        self.assertEqual([], done)

    def test_a_listener_that_breaks_ends_the_plan(self):
        def notify(event):
            raise BrokenPipeError("nobody reads")

        steps = [plan.Step("first", list), plan.Step("second", list, ("first",))]
        error = self.assertRaises(plan.StepFailed, plan.run, steps, notify)
        self.assertIsInstance(error.__cause__, BrokenPipeError)

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import io
import json
import threading

import testtools

from sahara_docker import exceptions
from sahara_docker.cli import main
from sahara_docker.cli.doctor import check, report, runner


def declared(name, probe, **more):
    return check.Check(name, f"the title of {name}", (8, "ptr"), f"the remedy of {name}", probe, **more)


def ok(site):
    return check.Result(check.OK, "a file", "as it should be")


class RunnerTest(testtools.TestCase):
    def test_order_is_the_declared_one_and_progress_is_as_they_come(self):
        gate = threading.Event()

        def slow(site):
            gate.wait(10)
            return ok(site)

        def quick(site):
            gate.set()
            return ok(site)

        seen = []
        found = runner.run(
            [declared("a.slow", slow), declared("a.quick", quick)], None, timeout=20,
            progress=lambda finding: seen.append(finding.declared.name),
        )  # fmt: skip
        self.assertEqual(["a.slow", "a.quick"], [one.declared.name for one in found])
        self.assertEqual({"a.slow", "a.quick"}, set(seen))

    def test_one_that_hangs_counts_as_failed_and_does_not_hold_the_others(self):
        forever = threading.Event()
        self.addCleanup(forever.set)
        hangs, well = runner.run(
            [declared("a.hangs", lambda site: forever.wait()), declared("a.well", ok)], None, timeout=0.5
        )
        self.assertEqual((check.FAIL, check.OK), (hangs.result.status, well.result.status))
        self.assertIn("no answer within 0.5 s", hangs.result.saw)

    def test_what_a_probe_raises(self):
        def absent(site):
            raise check.NotHere("no such thing here")

        def refused(site):
            raise exceptions.SaharaDockerError("it refused", where="there", observed="words", remedy="ask nicely")

        def broken(site):
            return [][0]

        found = runner.run(
            [declared("a.a", absent), declared("a.r", refused), declared("a.b", broken)], None, timeout=10
        )
        absent, refused, broken = (one.result for one in found)
        self.assertEqual((check.NOT_APPLICABLE, "no such thing here"), (absent.status, absent.saw))
        self.assertEqual((check.FAIL, "there", "it refused: words", "ask nicely"),
                         (refused.status, refused.looked_at, refused.saw, refused.remedy))  # fmt: skip
        self.assertIn("the check itself failed: IndexError", broken.saw)
        self.assertEqual(check.FAIL, runner.worst(found))

    def test_report(self):
        warn = declared("a.warn", lambda site: check.Result(check.WARN, "an option", "it is odd"))
        found = runner.run([warn, declared("a.ok", ok)], None, timeout=10)
        text = report.line(found[0], color=False, width=100)
        for word in ("warn", "a.warn", "an option", "it is odd", "the remedy of a.warn", "docs/troubles.md#trouble-8"):
            self.assertIn(word, text)
        document = json.loads(report.findings_json(found, 1.0, runner.worst(found)))
        first = document["checks"][0]
        self.assertEqual(("warn", "a.warn"), (document["status"], first["name"]))
        self.assertEqual(([8], ["ptr"]), (first["troubles"], first["beyond_the_blog"]))
        self.assertEqual("the remedy of a.warn", first["remedy"])
        self.assertEqual({"warn": 1, "fail": 2, "ok": 0, "not applicable": 0}, report.EXIT_CODES)


class CommandTest(testtools.TestCase):
    def call(self, *words):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main.main(words)
        return code, out.getvalue(), err.getvalue()

    def test_list(self):
        code, out, _ = self.call("doctor", "--list", "--format", "json", "kernel", "nodes.agent")
        names = [one["name"] for one in json.loads(out)["checks"]]
        self.assertEqual(0, code)
        self.assertIn("kernel.swappiness", names)
        self.assertIn("nodes.agent", names)
        self.assertNotIn("nodes.hostname", names)

    def test_a_name_that_no_check_has(self):
        code, _, err = self.call("doctor", "kernell")
        self.assertEqual(main.FAILED, code)
        self.assertIn("there is no such check: kernell", err)
        self.assertNotIn("Traceback", err)

    def test_findings_are_no_markdown(self):
        self.assertEqual(main.FAILED, self.call("doctor", "--format", "markdown")[0])

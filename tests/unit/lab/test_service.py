# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import fixtures
import testtools
from testtools import matchers

from lab import service


def _eventually(check, timeout=10.0):
    deadline = time.monotonic() + timeout
    while not check():
        if time.monotonic() > deadline:
            raise AssertionError(f"not so after {timeout} s")
        time.sleep(0.02)


class SupervisedTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = Path(self.useFixture(fixtures.TempDir()).path)
        self.useFixture(fixtures.MonkeyPatch("lab.service.FIRST_PAUSE", 0.05))

    def supervise(self, script: str, ready=lambda started: True, **options) -> service.Supervised:
        one = service.Service("thing", (sys.executable, "-c", script), ready, **options)
        supervised = service.Supervised(one, self.directory / "thing.log", dict(os.environ), threading.Event())
        self.addCleanup(supervised.stop)
        return supervised

    def test_an_early_end_is_told_with_the_logs_last_lines(self):
        supervised = self.supervise("import sys; print('no such database'); sys.exit(3)", ready=lambda started: False)
        error = self.assertRaises(service.ServiceError, supervised.start)
        self.assertThat(str(error), matchers.MatchesAll(*map(matchers.Contains, ("exit status 3", "no such database"))))
        self.assertThat(str(error), matchers.Contains(str(self.directory / "thing.log")))

    def test_one_that_never_answers_is_ended_and_says_what_was_seen(self):
        def refuse(started):
            raise ConnectionRefusedError("nobody listens")

        supervised = self.supervise("import time; time.sleep(60)", ready=refuse, timeout=0.5)
        error = self.assertRaises(service.ServiceError, supervised.start)
        self.assertThat(str(error), matchers.Contains("nobody listens"))
        self.assertRaises(ProcessLookupError, os.kill, supervised.pid, 0)

    def test_a_killed_process_is_started_again(self):
        supervised = self.supervise("import time; time.sleep(60)")
        supervised.start()
        first = supervised.pid
        os.kill(first, signal.SIGKILL)
        _eventually(lambda: supervised.restarts == 1 and supervised.state == "up")
        self.assertNotEqual(first, supervised.pid)

    def test_a_probe_that_breaks_after_a_restart_does_not_end_the_watch(self):
        broken = [False]

        def ready(started):
            if broken[0]:
                broken[0] = False
                raise KeyError("services")

        supervised = self.supervise("import time; time.sleep(60)", ready=ready)
        supervised.start()
        broken[0] = True
        os.kill(supervised.pid, signal.SIGKILL)
        _eventually(lambda: supervised.restarts == 2 and supervised.state == "up")
        self.assertThat(supervised.log.read_text(), matchers.Contains("restart 1 failed: 'services'"))

    def test_stop_ends_children_that_ignore_sigterm(self):
        pids = self.directory / "pids"
        script = (
            "import os, signal, time\n"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "child = os.fork()\n"
            f"if child: open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child}} ')\n"
            "time.sleep(60)"
        )
        supervised = self.supervise(
            script, ready=lambda started: pids.exists() and pids.read_text().endswith(" "), patience=0.2
        )
        supervised.start()
        supervised.stop()
        for pid in map(int, pids.read_text().split()):
            _eventually(lambda pid=pid: not _runs(pid))

    def test_a_program_that_is_not_there(self):
        one = service.Service("thing", ("/nonexistent/program",), lambda started: True)
        supervised = service.Supervised(one, self.directory / "thing.log", {}, threading.Event())
        error = self.assertRaises(service.ServiceError, supervised.start)
        self.assertThat(str(error), matchers.Contains("/nonexistent/program"))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
import threading
from pathlib import Path

import fixtures
import testtools
from testtools import matchers

from lab import command


class RunTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.log = Path(self.useFixture(fixtures.TempDir()).path) / "log"
        self.cancelled = threading.Event()
        self.useFixture(fixtures.MonkeyPatch("lab.command.cancelled", self.cancelled))

    def python(self, script: str, **options) -> None:
        command.run([sys.executable, "-c", script], log=self.log, what="trying", **options)

    def test_a_failure_has_status_last_lines_and_log(self):
        error = self.assertRaises(command.CommandFailed, self.python, "print('no route to index'); exit(7)")
        for part in ("trying failed", "exit status 7", "no route to index", str(self.log)):
            self.assertThat(str(error), matchers.Contains(part))

    def test_other_statuses_can_be_a_success(self):
        self.python("exit(2)", accept=(0, 2))

    def test_one_that_takes_too_long_is_ended(self):
        error = self.assertRaises(command.CommandFailed, self.python, "import time; time.sleep(60)", timeout=0.3)
        self.assertThat(str(error), matchers.Contains("not done after"))

    def test_an_interrupt_ends_it(self):
        self.cancelled.set()
        error = self.assertRaises(command.CommandFailed, self.python, "import time; time.sleep(60)")
        self.assertThat(str(error), matchers.Contains("cut short"))

    def test_what_must_not_be_cut_short_is_not(self):
        self.cancelled.set()
        self.python("print('configured')", interruptible=False)
        self.assertThat(self.log.read_text(), matchers.Contains("configured"))

    def test_standard_input_reaches_it_and_no_argument(self):
        self.python("import sys; assert sys.stdin.read() == 'secret'", input_text="secret")

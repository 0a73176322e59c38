# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
import os
import subprocess
import sys

import testtools

import benchmarks
from benchmarks import memory


class ModulesTest(testtools.TestCase):
    def test_each_can_be_run(self):
        for name in benchmarks.MODULES.values():
            self.assertTrue(callable(importlib.import_module(f"benchmarks.{name}").run), name)


class MemoryTest(testtools.TestCase):
    def test_children_count_with_their_parent(self):
        def child_holding(mebibytes: int) -> None:
            script = f"held = b'x' * {mebibytes << 20}; print(flush=True); input()"
            words = [sys.executable, "-c", script]
            process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.addCleanup(process.communicate, b"\n", 10)
            process.stdout.readline()

        child_holding(1)
        before = memory.of_tree(os.getpid())
        child_holding(64)
        after = memory.of_tree(os.getpid())
        for kind in ("rss", "pss"):
            self.assertGreater(after[kind] - before[kind], 64 << 10)

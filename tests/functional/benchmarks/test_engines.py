# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks compare does the same work, each in its own way."""

from __future__ import annotations

import tempfile
from pathlib import Path

import testtools

from benchmarks import engines, nodes
from lab import settings

IN_ENGINE = "tests.functional.benchmarks.in_engine"


class EnginesTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.place = engines.Place(settings.Lab(Path(directory.name)), "sahara-docker.test=benchmarks")

    def test_both_configure_a_node_and_only_stock_needs_children(self) -> None:
        with nodes.running(2, self.place) as two:
            for flavour, children in (("stock", True), ("ours", False)):
                with engines.running(flavour, self.place) as engine:
                    cluster = two.cluster_in(engine)
                    engine.call("benchmarks.engine_process:log_in", cluster)
                    self.assertEqual(children, engine.call(f"{IN_ENGINE}:configures_by_children", cluster))
                    hosts = engine.call(f"{IN_ENGINE}:hosts", cluster)
                    self.assertIn(f"{two.addresses[1]} bench-2-worker-1.novalocal", hosts)

    def test_a_failure_names_the_engine_its_words_and_the_log(self) -> None:
        with engines.running("ours", self.place) as engine:
            failure = self.assertRaises(engines.ProcessFailed, engine.call, f"{IN_ENGINE}:fail", "no such thing")
            self.assertIn("[process ours]", str(failure))
            self.assertIn("no such thing", str(failure))
            self.assertIn("bench-ours.log", str(failure))
            self.assertEqual(1, engine.call("builtins:len", ["it", "goes", "on"][:1]))

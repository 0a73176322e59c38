# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import fixtures
import testtools

from lab import node_image
from sahara_docker import exceptions


class EngineTest(testtools.TestCase):
    def test_without_a_daemon_nothing_is_fetched(self) -> None:
        home = Path(self.useFixture(fixtures.TempDir()).path)
        lines: list[str] = []
        error = self.assertRaises(
            exceptions.SaharaDockerError, node_image.build, home, f"unix://{home}/no.sock", "word", lines.append
        )
        self.assertIn(f"{home}/no.sock", str(error))
        self.assertEqual([], lines)

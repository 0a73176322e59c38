# SPDX-License-Identifier: Apache-2.0
"""Turns at `image build` for tests that run side by side."""

from __future__ import annotations

import fcntl

import fixtures

from lab import settings


class Turn(fixtures.Fixture):
    """Alone at building: what an image is built on has the same names for all, and each test removes it at its end."""

    def _setUp(self) -> None:
        lock = (settings.Lab(settings.default_state()).cache / "image-builds.lock").open("w")
        self.addCleanup(lock.close)
        fcntl.flock(lock, fcntl.LOCK_EX)

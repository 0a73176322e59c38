# SPDX-License-Identifier: Apache-2.0
"""One limit of time for an operation of many steps."""

from __future__ import annotations

import time

from sahara_docker.ssh import errors


class Deadline:
    """A point in time that every step of an operation asks how long it may still wait.

    :param seconds: from now.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left.

        :raises DeadlineExceeded: when none are.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise errors.DeadlineExceeded
        return left

    @property
    def passed(self) -> bool:
        return time.monotonic() >= self._end

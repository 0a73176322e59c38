# SPDX-License-Identifier: Apache-2.0
"""What the commands print: one line a step with the time since the start, readable on a terminal and in a log."""

from __future__ import annotations

import contextlib
import sys
import threading
import time

_BEGAN = time.monotonic()
_LOCK = threading.Lock()


def elapsed() -> float:
    """Seconds since the command started."""
    return time.monotonic() - _BEGAN


def say(text: str = "") -> None:
    """Print *text* as it is."""
    with _LOCK, contextlib.suppress(OSError):  # a reader that went away, such as `| head`, ends no lab
        print(text, flush=True)


def step(text: str, seconds: float | None = None) -> None:
    """Print a step that ended, with how long it took."""
    took = f"  ({seconds:.1f} s)" if seconds is not None else ""
    say(f"[{elapsed():6.1f} s] {text}{took}")


def error(text: str) -> None:
    """Print why the command gives up."""
    with _LOCK:
        print(f"\nerror: {text}", file=sys.stderr, flush=True)

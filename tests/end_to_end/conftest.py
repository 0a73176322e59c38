# SPDX-License-Identifier: Apache-2.0
"""The order of the end-to-end tests: first what can use the lab that is there, last what begins without any."""

from __future__ import annotations

import pytest

#: These need a lab of one host and leave no cluster in it; the second adds a dashboard to it, the third two hosts, for
#: which a cluster must not take room, and takes it down.
FIRST = ("test_user_guide.py", "test_dashboard.py", "test_hosts.py")
#: These take the lab down, the last one after it began without any.
LAST = ("test_scaling.py", "test_scenario.py", "test_lab.py")


def _place(name: str) -> int:
    if name in FIRST:
        return FIRST.index(name) - len(FIRST)
    return LAST.index(name) + 1 if name in LAST else 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes the lab down behind what only uses it."""
    items.sort(key=lambda item: _place(item.path.name))

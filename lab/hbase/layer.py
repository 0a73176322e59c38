# SPDX-License-Identifier: Apache-2.0
"""Lay out HBase for the node image: ``opt/hbase`` with its jars, its servers' pages and its command."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from lab import layer

HERE = Path(__file__).parent

_PAGES = "hbase-webapps/"


def build(target: Path, progress: Callable[[str], None]) -> None:
    """Make ``target/opt/hbase``; see :func:`lab.layer.build`."""
    layer.build(HERE, target, progress, unpack_pages)


def unpack_pages(home: Path) -> None:
    """Take the servers' pages out of the jar of the tests, the only one on Maven Central that has them.

    HBase finds them where ``home`` is on its class path, and does not start without them.
    """
    (tests,) = home.glob("lib/hbase-server-*-tests.jar")
    with zipfile.ZipFile(tests) as jar:
        jar.extractall(home, [name for name in jar.namelist() if name.startswith(_PAGES)])
    tests.unlink()

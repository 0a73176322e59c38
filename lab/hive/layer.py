# SPDX-License-Identifier: Apache-2.0
"""Lay out Hive for the node image: ``opt/hive`` with its jars, its metastore's tables and its command."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

from lab import layer

HERE = Path(__file__).parent

_TABLES = "/scripts/metastore/upgrade/postgres/hive-schema-4.0.0.postgres.sql"


def build(target: Path, progress: Callable[[str], None]) -> None:
    """Make ``target/opt/hive``; see :func:`lab.layer.build`."""
    layer.build(HERE, target, progress, keep_tables)


def keep_tables(home: Path) -> None:
    """Take the metastore's tables, as SQL, out of the release that has them; its jars are in ``lib`` already."""
    (release,) = home.glob("lib/hive-standalone-metastore-server-*-bin.tar.gz")
    with tarfile.open(release) as archive:
        (member,) = (member for member in archive if member.name.endswith(_TABLES))
        content = archive.extractfile(member)
        assert content is not None
        (home / "metastore.sql").write_bytes(content.read())
    release.unlink()

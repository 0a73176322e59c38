# SPDX-License-Identifier: Apache-2.0
"""A configuration name of Cloudera Manager and the property of a daemon's file that it becomes."""

from __future__ import annotations

import dataclasses

CORE, HDFS, YARN, MAPRED, OOZIE, ZOO = (
    "core-site.xml", "hdfs-site.xml", "yarn-site.xml", "mapred-site.xml", "oozie-site.xml", "zoo.cfg",
)  # fmt: skip
HBASE, HIVE, KAFKA = "hbase-site.xml", "hive-site.xml", "kafka.properties"
SPARK, SPARK_HISTORY = "spark-defaults.conf", "spark-history-server.conf"


@dataclasses.dataclass(frozen=True)
class Setting:
    """One configuration name and where it lands."""

    name: str
    file: str
    property: str
    default: str | None = None


def table(file: str, text: str) -> tuple[Setting, ...]:
    """Return the settings of a table: each line a name, a property, and the lab's default where it has one."""
    rows = (line.split(None, 2) for line in text.strip().splitlines())
    return tuple(Setting(row[0], file, row[1], row[2] if len(row) > 2 else None) for row in rows)


def same(file: str, text: str) -> tuple[Setting, ...]:
    """Return the settings of a table whose names are the properties' own: each line a name and perhaps a default."""
    rows = (line.split(None, 1) for line in text.strip().splitlines())
    return tuple(Setting(row[0], file, row[0], row[1] if len(row) > 1 else None) for row in rows)

# SPDX-License-Identifier: Apache-2.0
"""HBase's jars in HDFS, from where jobs take them."""

from __future__ import annotations

from typing import Any

from sahara.service.edp import hdfs_helper

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import nodes, shell

DIRECTORY = hdfs_helper.HBASE_COMMON_LIB_PATH
TIMEOUT = 900

_BRING = r"""
jars=$(hbase classpath | tr : '\n' | grep '\.jar$') || { echo "hbase classpath names no jar"; exit 1; }
su hdfs -s /bin/sh -c 'hdfs dfs -mkdir -p "$0" && hdfs dfs -put -f "$@" "$0"' "$1" $jars
"""


def bring(instance: Any) -> None:
    """Copy the jars that ``hbase classpath`` names on a node to ``DIRECTORY`` of HDFS, all at once.

    The stock plugin starts Hadoop's client for each of them.

    :param instance: the node of HBase's master.
    :raises SaharaDockerError: with what the commands said.
    """
    with instance.remote() as remote:
        outcome = shell.run_as_root(remote, _BRING, DIRECTORY, timeout=TIMEOUT)
    if outcome.code:
        raise exceptions.SaharaDockerError(
            "HBase's jars cannot be brought to HDFS",
            where=nodes.where(instance),
            observed=outcome.last_lines(),
            remedy="run `hbase classpath` and `hdfs dfs -ls /` there, or switch 'Enable HBase Common Lib' off",
        )

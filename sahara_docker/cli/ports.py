# SPDX-License-Identifier: Apache-2.0
"""Ports that clients of a cluster use, by Sahara's name of the process that listens there.

The numbers are CDH 5's ("Ports Used by Components of CDH 5" of its documentation). Those that only exist with
Kerberos or TLS, or that only nodes of the same service use, are left out.
"""

from __future__ import annotations

import concurrent.futures
import errno
import socket
from typing import Iterable

SSH = 22
PORTS: dict[str, tuple[int, ...]] = {
    "CLOUDERA_MANAGER": (7180, 7182),
    "HDFS_NAMENODE": (8020, 50070),
    "HDFS_SECONDARYNAMENODE": (50090,),
    "HDFS_DATANODE": (50010, 50020, 50075),
    "HDFS_JOURNALNODE": (8485,),
    "YARN_RESOURCEMANAGER": (8032, 8088),
    "YARN_STANDBYRM": (8088,),
    "YARN_NODEMANAGER": (8042,),
    "YARN_JOBHISTORY": (10020, 19888),
    "OOZIE_SERVER": (11000,),
    "HIVE_METASTORE": (9083,),
    "HIVE_SERVER2": (10000,),
    "HUE_SERVER": (8888,),
    "SPARK_YARN_HISTORY_SERVER": (18088,),
    "ZOOKEEPER_SERVER": (2181,),
    "HBASE_MASTER": (60000,),
    "HBASE_REGIONSERVER": (60020,),
    "SENTRY_SERVER": (8038,),
    "SOLR_SERVER": (8983,),
    "SQOOP_SERVER": (12000,),
    "IMPALA_CATALOGSERVER": (25020,),
    "IMPALA_STATESTORE": (25010,),
    "IMPALAD": (21000, 21050),
    "KMS": (16000,),
}

OPEN, REFUSED, NO_ANSWER, UNREACHABLE = "open", "refused", "no answer", "unreachable"
_WORKERS = 32


def of_processes(processes: Iterable[str]) -> list[int]:
    """Return the ports of a node with these processes, SSH's first."""
    return [SSH, *(port for process in processes for port in PORTS.get(process, ()))]


def probe(address: str, port: int, timeout: float = 3) -> str:
    """Try to connect from here: ``OPEN``, ``REFUSED`` (nobody listens, or a filter rejects), ``NO_ANSWER`` (a filter
    drops, or the host is gone) or ``UNREACHABLE``."""
    try:
        with socket.create_connection((address, port), timeout):
            return OPEN
    except ConnectionRefusedError:
        return REFUSED
    except TimeoutError:
        return NO_ANSWER
    except OSError as error:
        return REFUSED if error.errno == errno.ECONNRESET else UNREACHABLE


def probe_all(wanted: Iterable[tuple[str, int]], timeout: float = 3) -> dict[tuple[str, int], str]:
    """Try many addresses and ports side by side."""
    wanted = list(dict.fromkeys(wanted))
    with concurrent.futures.ThreadPoolExecutor(_WORKERS) as pool:
        return dict(zip(wanted, pool.map(lambda one: probe(one[0], one[1], timeout), wanted)))

# SPDX-License-Identifier: Apache-2.0
"""Spark's files: those of its history server, and the client configuration that ``spark-submit`` reads.

Spark is on every node of the lab at the same place, so jobs bring neither its jars nor its Python library.
"""

from __future__ import annotations

from ..server.model import Cluster, Role, Service
from . import jvm, settings, spark_properties, topology
from .setting import SPARK, SPARK_HISTORY

CLIENT_DIRECTORY = "/etc/spark/conf"
WEB_PORT = 18088

#: A driver or an executor of 768 MiB: Spark refuses a heap below 450 MiB, and Python's workers live beside it.
_SIZES = {
    "spark.driver.memory": "512m", "spark.driver.memoryOverhead": "256m",
    "spark.executor.memory": "512m", "spark.executor.memoryOverhead": "256m",
    "spark.executor.instances": "2", "spark.executor.cores": "1",
    "spark.yarn.am.memory": "256m", "spark.yarn.am.memoryOverhead": "128m",
    # Where there is room for one executor only, a job begins with it instead of half a minute later.
    "spark.scheduler.minRegisteredResourcesRatio": "0.5",
}  # fmt: skip


def history_server(files: topology.Files, service: Service, role: Role) -> str:
    """Return the history server's ``spark-history-server.conf``, from the properties that its settings have become."""
    values = {"spark.history.fs.logDirectory": _log_directory(service), **files.get(SPARK_HISTORY, {})}
    group = service.groups.get(role.group)
    return _lines(values) + _valves(SPARK_HISTORY, {**(group.config if group else {}), **role.config})


def client_files(files: topology.Files, cluster: Cluster, host_id: str) -> dict[str, str]:
    """Return a host's client configuration of Spark by file name; nothing for a cluster without Spark.

    :param files: the properties that settings have become.
    """
    service = cluster.service_of("SPARK_ON_YARN")
    if service is None:
        return {}
    values = {
        "spark.master": "yarn",
        "spark.yarn.jars": "local:/opt/spark/jars/*",
        "spark.eventLog.dir": _log_directory(service),
        "spark.driver.defaultJavaOptions": " ".join(jvm.fast_start()),
        "spark.executor.defaultJavaOptions": " ".join(jvm.fast_start()),
        **_SIZES,
        **files.get(SPARK, {}),
    }
    page = topology.address(cluster, "SPARK_ON_YARN", "SPARK_YARN_HISTORY_SERVER", "history_server_web_port", WEB_PORT)
    if page:
        values["spark.yarn.historyServer.address"] = f"http://{page}"
    return {SPARK: _lines(values) + _valves(SPARK, settings.gateway_values(service, host_id))}


def _log_directory(service: Service) -> str:
    """Where applications leave their events, in the cluster's own HDFS."""
    return f"hdfs://{settings.value(service, None, 'spark_history_log_dir') or '/user/spark/applicationHistory'}"


def _lines(values: dict[str, str]) -> str:
    return "".join(f"{name} {text}\n" for name, text in sorted(values.items()))


def _valves(file: str, config: dict[str, str]) -> str:
    """Return what safety valves add to a file: the later of two lines about one property holds."""
    names = [name for name, its_file in spark_properties.VALVES.items() if its_file == file]
    return "".join(f"{config[name]}\n" for name in names if config.get(name))

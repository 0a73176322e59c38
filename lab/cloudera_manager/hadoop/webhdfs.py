# SPDX-License-Identifier: Apache-2.0
"""HDFS over HTTP: directories are made in milliseconds, where each ``hdfs dfs`` command would start a JVM."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request

from ..server.errors import CommandFailed

TIMEOUT = 20.0
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))

#: What firstRun makes, as Cloudera Manager does: path, owner, group, mode.
FIRST_RUN = {
    "HDFS": (
        ("/tmp", "hdfs", "supergroup", "1777"),  # noqa: S108 - a directory in HDFS
        ("/user", "hdfs", "supergroup", "755"),
        ("/user/hdfs", "hdfs", "hdfs", "755"),
    ),
    "YARN": (
        ("/tmp/logs", "mapred", "hadoop", "1777"),  # noqa: S108 - a directory in HDFS
        ("/user/history", "mapred", "hadoop", "777"),
        ("/user/history/done", "mapred", "hadoop", "771"),
        ("/user/history/done_intermediate", "mapred", "hadoop", "1777"),
        ("/user/yarn", "yarn", "yarn", "755"),
    ),
    "OOZIE": (("/user/oozie", "oozie", "oozie", "775"),),
    "SPARK_ON_YARN": (
        ("/user/spark", "spark", "spark", "751"),
        ("/user/spark/applicationHistory", "spark", "spark", "1777"),
    ),
    "HIVE": (("/user/hive", "hive", "hive", "775"), ("/user/hive/warehouse", "hive", "hive", "1777")),
    "HBASE": (("/hbase", "hbase", "hbase", "755"),),
}


def _call(address: str, path: str, operation: str, method: str = "PUT", **arguments: str) -> dict:
    query = urllib.parse.urlencode({"op": operation, "user.name": "hdfs", **arguments})
    request = urllib.request.Request(f"http://{address}/webhdfs/v1{urllib.parse.quote(path)}?{query}", method=method)
    try:
        with _OPENER.open(request, timeout=TIMEOUT) as answer:
            body = answer.read()
    except urllib.error.HTTPError as error:
        text = error.read().decode("utf-8", "replace")
        try:
            text = json.loads(text)["RemoteException"]["message"].splitlines()[0]
        except (ValueError, KeyError, IndexError):
            text = text[:200]
        raise CommandFailed(f"HDFS refused {operation} {path}: {text}") from error
    except OSError as error:
        raise CommandFailed(f"the NameNode at {address} does not answer: {getattr(error, 'reason', error)}") from error
    return json.loads(body) if body else {}


def make_directory(address: str, path: str, owner: str, group: str, mode: str) -> None:
    """Make a directory with its owner and mode; one that exists keeps its content and is given both again.

    :raises CommandFailed: the NameNode at ``address`` (host:port of its web server) refuses or does not answer.
    """
    _call(address, path, "MKDIRS", permission=mode)
    _call(address, path, "SETPERMISSION", permission=mode)
    _call(address, path, "SETOWNER", owner=owner, group=group)


def metrics(address: str, bean: str) -> dict:
    """Return the attributes of a JMX bean of a Hadoop daemon.

    :raises CommandFailed: the daemon does not answer or has no such bean.
    """
    url = f"http://{address}/jmx?qry={urllib.parse.quote(bean)}"
    try:
        with _OPENER.open(url, timeout=TIMEOUT) as answer:
            beans = json.loads(answer.read())["beans"]
    except (OSError, ValueError, KeyError) as error:
        raise CommandFailed(f"{url} does not answer: {getattr(error, 'reason', error)}") from error
    if not beans:
        raise CommandFailed(f"{url}: no such bean")
    return beans[0]


def active_name_node(addresses: list[str]) -> str:
    """Return the address of that NameNode's web server whose NameNode is active; the only one need not be asked.

    :raises CommandFailed: there is none, or none of them is active.
    """
    failures = []
    for address in addresses:
        if len(addresses) == 1:
            return address
        try:
            state = metrics(address, "Hadoop:service=NameNode,name=NameNodeStatus")["State"]
        except CommandFailed as error:
            failures.append(str(error))
            continue
        if state == "active":
            return address
        failures.append(f"{address} is {state}")
    raise CommandFailed(f"no NameNode is active: {'; '.join(failures)}" if failures else "the cluster has no NameNode")


def yarn_node_state(addresses: list[str], node: str) -> str:
    """Return what the active ResourceManager says of a node (host:port); GONE when it does not know it.

    :param addresses: of the ResourceManagers' web servers; a standby sends on to the active one.
    :raises CommandFailed: none answers.
    """
    failures = []
    for address in addresses:
        try:
            return _node_state(address, node)
        except CommandFailed as error:
            failures.append(str(error))
    raise CommandFailed("; ".join(failures) or "the cluster has no ResourceManager")


def _node_state(address: str, node: str) -> str:
    """Return what the ResourceManager at ``address`` says of a node.

    :raises CommandFailed: it does not answer.
    """
    url = f"http://{address}/ws/v1/cluster/nodes/{node}"
    try:
        request = urllib.request.Request(url, headers={"Accept": "application/json"})
        with _OPENER.open(request, timeout=TIMEOUT) as answer:
            return json.loads(answer.read())["node"]["state"]
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return "GONE"
        raise CommandFailed(f"{url} answers {error.code}") from error
    except (OSError, ValueError, KeyError) as error:
        raise CommandFailed(f"{url} does not answer: {getattr(error, 'reason', error)}") from error

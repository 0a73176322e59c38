# SPDX-License-Identifier: Apache-2.0
"""The proxy in the Java processes of Spark and MapReduce, by Cloudera Manager's configuration for them.

MapReduce's *admin* options go before a job's own, so that a job that sets its options keeps them and the proxy. Java
has no place for a proxy's password but the command line, which everyone on the node can read, so jobs get none: a
proxy that asks for one refuses them at once.
"""

from __future__ import annotations

import ipaddress
import re
import urllib.parse
from xml.sax import saxutils

from sahara_docker.plugins.cdh_docker import cm_client, proxy

MAPREDUCE_SETTING = "yarn_service_mapred_safety_valve"
SPARK_SETTING = "spark-conf/spark-defaults.conf_client_config_safety_valve"

# Hadoop's own values of these, which ours replace (mapred-default.xml).
_MAPREDUCE = {
    "mapreduce.admin.map.child.java.opts": "-Djava.net.preferIPv4Stack=true -Dhadoop.metrics.log.level=WARN ",
    "mapreduce.admin.reduce.child.java.opts": "-Djava.net.preferIPv4Stack=true -Dhadoop.metrics.log.level=WARN ",
    "yarn.app.mapreduce.am.admin-command-opts": "",
}
_SPARK = ("spark.driver.extraJavaOptions", "spark.executor.extraJavaOptions", "spark.yarn.am.extraJavaOptions")
_DEFAULT_PORT = 80


def bring(
    client: cm_client.CMClient, cluster: str, yarn: str, spark: str | None, settings: proxy.ProxySettings | None
) -> None:
    """Have Cloudera Manager give *settings* to jobs, or take them away when None; whatever else it has stays.

    :param yarn: name of the service YARN.
    :param spark: name of the service Spark; None for a cluster without.
    :raises CMError: when it refuses.
    """
    java = java_options(settings) if settings else ""
    old = client.service_config(cluster, yarn).get(MAPREDUCE_SETTING) or ""
    new = with_block(old, _mapreduce(java, old), "<!-- ", " -->")
    if new != old:
        client.configure_service(cluster, yarn, {MAPREDUCE_SETTING: new})
    if spark is None:
        return
    group = client.role_group(cluster, spark, "GATEWAY")
    old = client.group_config(cluster, spark, group).get(SPARK_SETTING) or ""
    new = with_block(old, "\n".join(f"{name}={java}" for name in _SPARK) if java else "", "# ", "")
    if new != old:
        client.configure_group(cluster, spark, group, {SPARK_SETTING: new})


def java_options(settings: proxy.ProxySettings) -> str:
    """Return the options of a Java process for *settings*, without a password.

    The hosts are in single quotes, since MapReduce and Spark pass options through a shell. Java cannot speak TLS to a
    proxy, so one with an ``https`` address is left out.
    """
    words = []
    for scheme, url in (("http", settings.http), ("https", settings.https)):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme == "http":
            words += [f"-D{scheme}.proxyHost={parts.hostname}", f"-D{scheme}.proxyPort={parts.port or _DEFAULT_PORT}"]
    if not words:
        return ""
    # Nodes by their domain, since a setting that changed with every scaling would have YARN restarted and its jobs
    # killed. Hadoop calls nodes by their full names.
    domains = [node[node.index(".") :] for node in settings.nodes if "." in node and not _is_address(node)]
    patterns = dict.fromkeys(pattern for entry in (*settings.direct, *domains) for pattern in _patterns(entry))
    return " ".join([*words, f"-Dhttp.nonProxyHosts='{'|'.join(patterns)}'"])


def _patterns(entry: str) -> list[str]:
    """Return Java's patterns for an entry of ``no_proxy``: a star may be at one end only, and it knows no networks."""
    if "/" in entry:
        try:
            network = ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return []
        if network.version == 6:
            return []
        octets = max(1, -(-network.prefixlen // 8))
        parts = network.subnets(new_prefix=8 * octets) if network.prefixlen < 8 * octets else [network]
        return [
            ".".join(str(part.network_address).split(".")[:octets]) + (".*" if octets < 4 else "") for part in parts
        ]
    if entry.startswith("."):
        return [f"*{entry}"]
    if "." in entry and not _is_address(entry):
        return [entry, f"*.{entry}"] if not entry.startswith("*") else [entry]
    return [entry]


def _is_address(entry: str) -> bool:
    return re.fullmatch(r"[0-9.]+", entry) is not None


def _mapreduce(java: str, present: str) -> str:
    """Return MapReduce's properties, but for those that *present*, a user's own text, sets."""
    foreign = _without_block(present, "<!-- ", " -->")
    return "\n".join(
        f"<property><name>{name}</name><value>{saxutils.escape(before + java)}</value></property>"
        for name, before in _MAPREDUCE.items()
        if java and f"<name>{name}</name>" not in foreign
    )


def _without_block(text: str, comment: str, closed: str) -> str:
    begin, end = (re.escape(f"{comment}sahara-docker proxy: {word}{closed}") for word in ("begin", "end"))
    return re.sub(f"\n?{begin}\n.*?{end}", "", text, flags=re.DOTALL)


def with_block(text: str, block: str, comment: str, closed: str) -> str:
    """Return *text* with *block* in place of what an earlier call has put there, or without that when it is empty."""
    rest = _without_block(text, comment, closed)
    if not block:
        return rest
    begin, end = (f"{comment}sahara-docker proxy: {word}{closed}" for word in ("begin", "end"))
    return "\n".join([*([rest] if rest else []), begin, block, end])

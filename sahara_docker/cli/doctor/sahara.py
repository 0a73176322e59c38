# SPDX-License-Identifier: Apache-2.0
"""Sahara: its API, its settings on this host, and the templates that users make clusters from."""

from __future__ import annotations

import importlib.metadata
import os
import stat
import urllib.parse
from typing import Any, Iterator

from sahara_docker.cli import cluster, registry
from sahara_docker.cli.doctor import check
from sahara_docker.cli.doctor.site import Site

_SHORTEST_TIMEOUT = 900
_TIMEOUTS = ("Timeout for Cloudera Manager starting", "Await Cloudera agents timeout")
_RESERVED = "dfs_datanode_du_reserved"
_SWIFT = "Enable Swift"
_SWIFT_ADDRESS = "Hadoop OpenStack library URL"
_GIB = 1 << 30


@check.declare(
    "sahara.api",
    "whether one can log in to OpenStack, and Sahara answers with the plugin",
    covers=(),
    remedy=f"[DEFAULT] plugins = {cluster.PLUGIN} in sahara.conf, restart sahara-api and sahara-engine",
)
def api(site: Site) -> check.Result:
    found = site.login.get("data-processing", "/plugins")["plugins"]
    names = [plugin["name"] for plugin in found]
    return check.judge(cluster.PLUGIN in names, "GET /plugins", ", ".join(names) or "no plugin")


@check.declare(
    "sahara.cluster",
    "the state of the cluster, and Sahara's own words about it",
    covers=(2, 11),
    remedy="openstack dataprocessing cluster show --show-progress NAME; sahara-engine's log has the whole story",
)
def cluster_state(site: Site) -> check.Result:
    described = site.cluster
    seen = f"{described.status}{f': {described.reason}' if described.reason else ''}"
    otherwise = check.FAIL if described.status == "Error" else check.WARN
    return check.judge(described.status == "Active", f"cluster {described.name}", seen, otherwise=otherwise)


@check.declare(
    "sahara.jobs",
    "why jobs of the cluster failed, the latest ones",
    covers=(),
    remedy="Oozie's and YARN's web pages have the whole logs; openstack dataprocessing job delete JOB forgets it",
)
def jobs(site: Site) -> check.Result:
    found = site.cloud.get("data-processing", "/job-executions")["job_executions"]
    failed = sorted(
        (one for one in found if one["cluster_id"] == site.cluster.id and (one.get("info") or {}).get("error")),
        key=lambda one: one["created_at"],
        reverse=True,
    )
    wrong = {f"job {one['id']}": cluster.job_error(one) for one in failed}
    return check.findings(wrong, "info of the cluster's jobs", "none failed", otherwise=check.WARN, most=3)


@check.declare(
    "sahara.plugins",
    "whether Sahara on this host is told to use the plugin and its remote",
    covers=(2, 3),
    remedy=f"[DEFAULT] plugins = {cluster.PLUGIN} and remote = docker in sahara.conf, restart sahara-engine",
)
def plugins(site: Site) -> check.Result:
    options, files = site.sahara
    wrong = {}
    if cluster.PLUGIN not in options.plugins:
        wrong["plugins"] = ",".join(options.plugins) or "not set"
    if options.remote != "docker":
        wrong["remote"] = f"{options.remote}, which logs in by key only and waits 3 hours for cloud-init"
    return check.findings(wrong, files, f"plugins = {cluster.PLUGIN}, remote = docker")


@check.declare(
    "sahara.entry-points",
    "whether the package is installed where Sahara runs, and once",
    covers=(2,),
    remedy="pip install 'sahara-docker[sahara]' in the environment that Sahara runs in",
)
def entry_points(site: Site) -> check.Result:
    site.sahara  # noqa: B018 - there is a Sahara here
    try:
        importlib.metadata.version("sahara")
    except importlib.metadata.PackageNotFoundError:
        raise check.NotHere("this command runs in another Python environment than Sahara") from None
    wanted = {"sahara.cluster.plugins": cluster.PLUGIN, "sahara.remote": "docker"}
    counts = {
        group: len({entry.value for found in importlib.metadata.distributions() for entry in found.entry_points
                    if (entry.group, entry.name) == (group, name)})
        for group, name in wanted.items()
    }  # fmt: skip
    wrong = {group: f"{count} entries called {wanted[group]}" for group, count in counts.items() if count != 1}
    return check.findings(wrong, "entry points", "each there once")


@check.declare(
    "sahara.password",
    "the password for the first login to nodes",
    covers=(3,),
    remedy=f"openstack image set --property {registry.PASSWORD}=... IMAGE, or [sahara_docker] ssh_password in "
    "sahara.conf: what the image was built with",
)
def password(site: Site) -> check.Result:
    options, files = site.sahara
    looked_at = f"images' {registry.PASSWORD}, [sahara_docker] ssh_password in {files}"
    if not options.sahara_docker.ssh_password:
        images = {one["name"]: site.cloud.get("image", f"/images/{one['id']}") for one in site.sahara_images}
        wrong = {
            name: "no password, so only key login is tried"
            for name, it in images.items()
            if registry.PASSWORD not in it
        }
        return check.findings(wrong, looked_at, "every image has its own")
    loose = [path for path in files.split(", ") if os.stat(path).st_mode & stat.S_IROTH]
    wrong = {path: "every user of this host can read it" for path in loose}
    remedy = f"chmod o= {' '.join(loose)}"
    return check.findings(wrong, looked_at, "set, and the file is private", otherwise=check.WARN, remedy=remedy)


@check.declare(
    "sahara.proxy",
    "whether a proxy for nodes leaves out the cloud's own addresses",
    covers=(7, 11),
    remedy="add the host to [sahara_docker] no_proxy in sahara.conf",
)
def proxy(site: Site) -> check.Result:
    options, files = site.sahara
    if not (options.sahara_docker.http_proxy or options.sahara_docker.https_proxy):
        return check.Result(check.OK, f"[sahara_docker] http_proxy in {files}", "nodes use no proxy")
    endpoint = site.login.session.get_endpoint(service_type="identity", interface="public") or ""
    name = urllib.parse.urlsplit(endpoint).hostname or ""
    direct = [entry.strip() for entry in (options.sahara_docker.no_proxy or "").split(",") if entry.strip()]
    left_out = any(name == entry or name.endswith(f".{entry.lstrip('*.')}") for entry in direct)
    seen = f"{name} is left out" if left_out else f"{name} is reached through the proxy"
    return check.judge(left_out, f"[sahara_docker] no_proxy in {files}", seen, otherwise=check.WARN)


@check.declare(
    "sahara.timeouts",
    "timeouts for Cloudera Manager in cluster templates and the cluster",
    covers=(11,),
    remedy=f"leave them out (the default is {_SHORTEST_TIMEOUT} s) or raise them in the template's general configs",
)
def timeouts(site: Site) -> check.Result:
    wrong = {}
    for name, document in _templates_and_cluster(site, "cluster-templates"):
        general = (document.get("cluster_configs") or {}).get("general") or {}
        short = [f"{key} = {general[key]}" for key in _TIMEOUTS if int(general.get(key, _SHORTEST_TIMEOUT)) < 900]
        if short:
            wrong[name] = ", ".join(short)
    return check.findings(wrong, "cluster_configs.general", "long enough", otherwise=check.WARN)


def _templates_and_cluster(site: Site, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Templates of this plugin by name; also the cluster that was asked for, when there is one."""
    for document in site.cloud.get("data-processing", f"/{kind}")[kind.replace("-", "_")]:
        if document["plugin_name"] == cluster.PLUGIN:
            yield document["name"], document
    try:
        described = site.cluster
    except check.NotHere:
        return
    if kind == "cluster-templates":
        yield f"cluster {described.name}", described.document
    else:
        yield from ((f"{described.name}/{group['name']}", group) for group in described.document["node_groups"])


@check.declare(
    "sahara.reserved-space",
    "whether the space that DataNodes keep free leaves HDFS any",
    covers=(13,),
    remedy=f"leave {_RESERVED} out of the node configs: the plugin takes a share of each volume",
)
def reserved_space(site: Site) -> check.Result:
    wrong = {}
    for name, group in _templates_and_cluster(site, "node-group-templates"):
        if "HDFS_DATANODE" not in group["node_processes"]:
            continue
        value = (group.get("node_configs") or {}).get("DATANODE", {}).get(_RESERVED)
        flavor = site.flavors.get(group["flavor_id"], {})
        size = group["volumes_size"] if group.get("volumes_per_node") else (
            flavor.get("OS-FLV-EXT-DATA:ephemeral") or flavor.get("disk", 0)
        )  # fmt: skip
        if value is not None and size and int(value) >= size * _GIB:
            wrong[name] = f"{int(value) / _GIB:.1f} GiB reserved on volumes of {size} GiB"
    return check.findings(wrong, f"{_RESERVED} of node groups", "room is left")


@check.declare(
    "sahara.swift",
    "whether the Swift library can be fetched where a template wants it",
    covers=(14,),
    remedy=f'put the library on a server in reach and set "{_SWIFT_ADDRESS}" in cluster_configs.general, or '
    f'switch "{_SWIFT}" off',
)
def swift(site: Site) -> check.Result:
    wanted = {}
    for name, document in _templates_and_cluster(site, "cluster-templates"):
        general = (document.get("cluster_configs") or {}).get("general") or {}
        if str(general.get(_SWIFT, False)).lower() == "true":
            wanted[name] = str(general.get(_SWIFT_ADDRESS) or _default_of(site, document, _SWIFT_ADDRESS))
    if not wanted:
        return check.Result(check.OK, f"{_SWIFT} of cluster templates", "no template uses Swift")
    wrong = {name: trouble for name, address in wanted.items() if (trouble := _unfetchable(site, address))}
    return check.findings(wrong, ", ".join(sorted(set(wanted.values()))), "can be fetched from here")


def _default_of(site: Site, document: dict[str, Any], name: str) -> str:
    version = document.get("hadoop_version") or document.get("plugin_version")
    plugin = site.cloud.get("data-processing", f"/plugins/{cluster.PLUGIN}/{version}")["plugin"]
    return next((config["default_value"] or "" for config in plugin["configs"] if config["name"] == name), "")


def _unfetchable(site: Site, address: str) -> str:
    """Why an address cannot be fetched from here, empty when it can."""
    import requests

    if not address:
        return "no address is set"
    try:
        options = site.sahara[0].sahara_docker
        proxies = {"http": options.http_proxy, "https": options.https_proxy or options.http_proxy}
    except check.NotHere:
        proxies = {}
    try:
        answer = requests.head(
            address, timeout=5, allow_redirects=True, proxies={k: v for k, v in proxies.items() if v}
        )
        return "" if answer.status_code < 400 else f"{address}: HTTP {answer.status_code}"
    except requests.RequestException as error:
        return f"{address}: {type(error).__name__}"

# SPDX-License-Identifier: Apache-2.0
"""The pages for people: hosts, services, roles with their health and logs, commands. They need no script."""

from __future__ import annotations

import re
import time
import urllib.parse

from .. import CM_VERSION
from . import command_page, health, markup, resources
from .agents import Agents
from .api import Parts
from .errors import CommandFailed
from .markup import Markup, element, link
from .model import Cluster, Host, Model, Service
from .views import Views

LOGS = {"full": "its own log", "stdout": "standard output", "stderr": "standard error"}

_COMMAND = re.compile(r"/commands/(\d+)")
_LOG = re.compile(r"/clusters/([^/]+)/services/([^/]+)/roles/([^/]+)/logs/([^/]+)")


def find(parts: Parts, path: str) -> str | None:
    """Return the page at a path, as the browser sends it, or None where there is none.

    :raises ApiError: 404, what the path names is not there.
    """
    if path in ("", "/"):
        with parts.store.lock:
            return overview(parts.store.model, parts.agents)
    if match := _COMMAND.fullmatch(path):
        with parts.store.lock:
            return command_page.render(parts.store.model, int(match[1]))
    if (match := _LOG.fullmatch(path)) and match[4] in LOGS:
        cluster, service, role = (urllib.parse.unquote(name) for name in match.groups()[:3])
        return _log(parts, cluster, service, role, match[4])
    return None


def overview(model: Model, agents: Agents) -> str:
    """Return the first page; it comes again while a command runs."""
    clusters = list(model.clusters.values())
    navigation = [link("hosts", "#hosts"), *(link(f"cluster {one.name}", f"#cluster-{one.name}") for one in clusters)]
    parts = [
        element("p", f"It answers like Cloudera Manager {CM_VERSION} under ", element("code", "/api"), "."),
        element("h2", "Hosts", id="hosts"),
        markup.table(
            ["host", "address", "cores", "memory MiB", "health", "heartbeat"],
            ((f"host-{name}", _host(agents, host)) for name, host in sorted(model.hosts.items())),
        ),
    ]
    parts += [_cluster(agents, cluster) for cluster in clusters]
    if model.management:
        parts.append(element("section", _service(agents, None, model.management)))
    parts += [element("h2", "Newest commands", id="commands"), command_page.newest(model)]
    active = any(command.active for command in model.commands.values())
    return markup.document(
        "Cloudera Manager stand-in", [*navigation, link("commands", "#commands")], *parts,
        refresh=command_page.REFRESH if active else None,
    )  # fmt: skip


def _host(agents: Agents, host: Host) -> list[object]:
    summary = health.summary(health.host_checks(agents, host))
    age = f"{time.time() - host.last_heartbeat:.0f} s ago"
    return [host.host_id, host.ip, host.cores, host.memory // 2**20, markup.mark(summary), age]


def _cluster(agents: Agents, cluster: Cluster) -> Markup:
    heading = element("h2", f"Cluster {cluster.name}, CDH {cluster.full_version}", id=f"cluster-{cluster.name}")
    services = [_service(agents, cluster, service) for service in cluster.services.values()]
    return element("section", heading, *services)


def _service(agents: Agents, cluster: Cluster | None, service: Service) -> Markup:
    checks = health.service_checks(agents, cluster, service)
    state = f", {Views.service_state(service).lower()} "
    heading = element("h3", service.name, f", {service.type}", state, markup.mark(health.summary(checks)),
                      id=f"service-{service.name}")  # fmt: skip
    rows: list[tuple[str | None, list[object]]] = []
    for role in service.roles.values():
        role_checks = health.role_checks(agents, service, role)
        why = "; ".join(check.explanation for check in role_checks if check.explanation)
        said = element("pre", role.log_tail) if role.log_tail else ""
        log: object = ""
        if cluster is not None and role.process_id:
            log = link("log", _log_path(cluster.name, service.name, role.name, "full"))
        rows.append((f"role-{role.name}", [
            role.name, role.type, link(role.host_id, f"#host-{role.host_id}"), role.state,
            markup.mark(health.summary(role_checks)), markup.join([why, said]), log,
        ]))  # fmt: skip
    return markup.join([heading, markup.table(["role", "type", "host", "state", "health", "why", "log"], rows)])


def _log_path(cluster: str, service: str, role: str, name: str) -> str:
    quoted = [urllib.parse.quote(part, safe="") for part in (cluster, service, role)]
    return "/clusters/{}/services/{}/roles/{}/logs/".format(*quoted) + name


def _log(parts: Parts, cluster_name: str, service_name: str, role_name: str, name: str) -> str:
    with parts.store.lock:
        cluster = resources.cluster(parts.store.model, cluster_name)
        role = resources.role(resources.service(cluster, service_name), role_name)
    try:
        # Without the lock: it is for the agent to answer.
        text = element("pre", parts.roles.log(role, name))
    except CommandFailed as error:
        text = element("p", str(error))
    navigation = [link("overview", f"/#role-{role_name}")]
    navigation += [link(what, _log_path(cluster_name, service_name, role_name, other)) for other, what in LOGS.items()]
    return markup.document(f"{role.name} on {role.host_id}: {LOGS[name]}", navigation, text)

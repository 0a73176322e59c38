# SPDX-License-Identifier: Apache-2.0
"""The page for people at ``/``: it says first what answers here."""

from __future__ import annotations

import html
import time

from .. import BANNER, CM_VERSION
from . import health
from .agents import Agents
from .model import Model

_HEAD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Stand-in for Cloudera Manager</title><style>
body{font-family:sans-serif;margin:2em;max-width:75em}table{border-collapse:collapse;margin-bottom:2em}
td,th{border:1px solid #bbb;padding:.3em .6em;text-align:left;vertical-align:top}pre{margin:0;white-space:pre-wrap}
.GOOD{background:#dfd}.BAD{background:#fdd}.CONCERNING{background:#ffd}.notice{background:#fec;padding:.8em}
</style></head><body>
"""


def _row(cells: list[str], *, health_class: str = "", tag: str = "td") -> str:
    return f"<tr class='{health_class}'>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>\n"


def render(model: Model, agents: Agents) -> str:
    """Return the page: hosts, roles with their health and last words, the newest commands."""
    parts = [_HEAD, f"<p class='notice'>{html.escape(BANNER)}.</p>\n<h1>Cloudera Manager stand-in</h1>\n"]
    parts.append(f"<p>It answers like Cloudera Manager {CM_VERSION} under <code>/api</code>.</p>\n")
    parts.append("<h2 id='hosts'>Hosts</h2>\n<table>")
    parts.append(_row(["host", "address", "cores", "memory MiB", "health", "heartbeat"], tag="th"))
    for _, host in sorted(model.hosts.items()):
        summary = health.summary(health.host_checks(agents, host))
        age = f"{time.time() - host.last_heartbeat:.0f} s ago"
        cells = [host.host_id, host.ip, str(host.cores), str(host.memory // 2**20), summary, age]
        parts.append(_row(cells, health_class=summary))
    parts.append("</table>\n")
    for cluster in model.clusters.values():
        parts.append(f"<h2 id='cluster-{html.escape(cluster.name)}'>Cluster {html.escape(cluster.name)}</h2>\n<table>")
        parts.append(_row(["service", "role", "type", "host", "state", "health", "why"], tag="th"))
        for service in cluster.services.values():
            for role in service.roles.values():
                checks = health.role_checks(agents, service, role)
                why = "; ".join(check.explanation for check in checks if check.explanation)
                summary = health.summary(checks)
                words = f"{why} {role.log_tail}".strip()
                cells = [service.name, role.name, role.type, role.host_id, role.state, summary, words]
                parts.append(_row(cells, health_class=summary))
        parts.append("</table>\n")
    parts.append("<h2 id='commands'>Newest commands</h2>\n<table>")
    parts.append(_row(["id", "command", "about", "state", "seconds", "message"], tag="th"))
    for _, command in sorted(model.commands.items(), reverse=True)[:60]:
        about = " ".join(name for name in (command.cluster, command.service, command.role, command.host) if name)
        state = "active" if command.active else "success" if command.success else "failed"
        seconds = f"{(command.ended or time.time()) - command.started:.1f}"
        cells = [str(command.id), command.name, about, state, seconds, command.message or ""]
        parts.append(_row(cells, health_class="BAD" if state == "failed" else ""))
    parts.append("</table>\n</body></html>\n")
    return "".join(parts)

# SPDX-License-Identifier: Apache-2.0
"""Health in Cloudera Manager's words: GOOD, CONCERNING, BAD, DISABLED (stopped on purpose), NOT_AVAILABLE."""

from __future__ import annotations

import dataclasses

from ..hadoop import catalogue
from .agents import Agents
from .model import Cluster, Host, Role, Service

_ORDER = ("GOOD", "CONCERNING", "BAD")

#: Workers of which some may fail: CDH's own thresholds, in per cent of healthy ones.
_WORKERS = {"DATANODE": (95, 90), "NODEMANAGER": (95, 90), "REGIONSERVER": (95, 90)}


@dataclasses.dataclass(frozen=True)
class Check:
    """One health check and its outcome."""

    name: str
    summary: str
    explanation: str = ""


def worst(summaries: list[str]) -> str:
    """Return the worst of some summaries; NOT_AVAILABLE of none, DISABLED when all that count are disabled."""
    counted = [summary for summary in summaries if summary in _ORDER]
    if counted:
        return max(counted, key=_ORDER.index)
    return "DISABLED" if "DISABLED" in summaries else "NOT_AVAILABLE"


def host_checks(agents: Agents, host: Host) -> list[Check]:
    """Return the checks of a host."""
    alive = agents.alive(host.host_id)
    text = "" if alive else "its agent has not sent a heartbeat lately"
    return [Check("HOST_SCM_HEALTH", "GOOD" if alive else "BAD", text)]


def _not_available(role_type: str, refusal: str) -> Check:
    """The reason is in the name, too: up to version 10, which Sahara speaks, the API shows no explanations."""
    return Check(f"{role_type}_NOT_AVAILABLE_IN_THE_LAB", "BAD", refusal)


def role_checks(agents: Agents, service: Service, role: Role) -> list[Check]:
    """Return the checks of a role; none for a gateway."""
    name = f"{role.type}_SCM_HEALTH"
    refusal = catalogue.unavailable(service.type, role.type)
    if refusal:
        return [_not_available(role.type, refusal)]
    if service.type == catalogue.MANAGEMENT:
        text = "part of the lab's stand-in for Cloudera Manager, which has no daemon of its own for it"
        return [Check(name, "GOOD" if role.state == "STARTED" else "DISABLED", text)]
    if role.type == catalogue.GATEWAY:
        return []
    if role.state == "STARTED":
        if not agents.alive(role.host_id):
            return [Check(name, "BAD", f"host {role.host_id} does not answer")]
        return [Check(name, "CONCERNING" if role.failure else "GOOD", role.failure)]
    if role.state in ("STARTING", "STOPPING"):
        return [Check(name, "NOT_AVAILABLE", role.state.lower())]
    return [Check(name, "BAD" if role.failure else "DISABLED", role.failure)]


def summary(checks: list[Check]) -> str:
    """Return the summary of some checks."""
    return worst([check.summary for check in checks])


def service_checks(agents: Agents, cluster: Cluster | None, service: Service) -> list[Check]:
    """Return the checks of a service: one for each of its role types."""
    checks = []
    for kind in sorted({role.type for role in service.roles.values()} - {catalogue.GATEWAY}):
        refusal = catalogue.unavailable(service.type, kind)
        if refusal:
            checks.append(_not_available(kind, refusal))
            continue
        roles = service.roles_of(kind)
        states = [(role, summary(role_checks(agents, service, role))) for role in roles]
        if kind in _WORKERS:
            checks.append(_workers(service, kind, [state for _, state in states]))
            continue
        ill = [role for role, state in states if state in ("BAD", "CONCERNING")]
        bad = [f"{role.host_id}: {_why(agents, service, role)}" for role in ill]
        checks.append(Check(f"{service.type}_{kind}_HEALTH", worst([state for _, state in states]), "; ".join(bad)))
    return checks


def _why(agents: Agents, service: Service, role: Role) -> str:
    return "; ".join(check.explanation for check in role_checks(agents, service, role))


def _workers(service: Service, kind: str, states: list[str]) -> Check:
    counted = [state for state in states if state in _ORDER]
    name = f"{service.type}_{kind}S_HEALTHY"
    if not counted:
        return Check(name, worst(states))
    healthy = 100 * counted.count("GOOD") / len(counted)
    warning, critical = _WORKERS[kind]
    outcome = "BAD" if healthy < critical else "CONCERNING" if healthy < warning else "GOOD"
    return Check(name, outcome, f"{counted.count('GOOD')} of {len(counted)} healthy")

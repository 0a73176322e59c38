# SPDX-License-Identifier: Apache-2.0
"""From snapshots of a cluster to what happened, how long it took, and what is being waited for."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any, Iterator

from sahara_docker.cli import cluster as sahara_cluster
from sahara_docker.cli.watch.sources import Snapshot, moment

_ENDED_JOBS = ("SUCCEEDED", "FAILED", "KILLED", "DONEWITHERROR")
_QUIET_HEALTH = ("GOOD", "NOT_AVAILABLE", "DISABLED", None)


def now() -> datetime.datetime:
    """This moment, in whole seconds as the services tell theirs."""
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that happened, by whose word, to what."""

    when: datetime.datetime
    source: str
    subject: str
    text: str


@dataclasses.dataclass(frozen=True)
class Span:
    """Something that took time: a step, a node's creation, a job; ``ended`` is None while it goes on."""

    kind: str
    name: str
    began: datetime.datetime
    ended: datetime.datetime | None
    good: bool | None

    def seconds(self, until: datetime.datetime) -> float:
        """How long it took, or has taken *until* now."""
        return max(((self.ended or until) - self.began).total_seconds(), 0)


@dataclasses.dataclass(frozen=True)
class Waiting:
    """What is being waited for, and since when."""

    what: str
    since: datetime.datetime


class Story:
    """What is known of a cluster so far; ``latest`` is the last snapshot that had one."""

    def __init__(self) -> None:
        self.latest: Snapshot | None = None
        self.gone: datetime.datetime | None = None
        self._seen: set[Any] = set()
        self._states: dict[tuple[str, str], str] = {}
        self._status_since = now()

    @property
    def cluster(self) -> sahara_cluster.Cluster:
        """The cluster as it was last seen; there has been a snapshot."""
        assert self.latest is not None and self.latest.cluster is not None
        return self.latest.cluster

    def observe(self, snapshot: Snapshot) -> list[Event]:
        """Take a snapshot in and return what is new in it, oldest first."""
        if snapshot.cluster is None:
            self.gone = self.gone or now()
            return list(self._changed("sahara", "cluster", "is gone"))
        self.latest = snapshot
        events = [
            *self._of_cluster(snapshot.cluster),
            *self._of_steps(snapshot.cluster),
            *self._of_heat(snapshot),
            *self._of_nova(snapshot),
            *self._of_manager(snapshot),
            *self._of_jobs(snapshot),
            *(event for name, text in snapshot.troubles.items() for event in self._changed("watch", name, text)),
        ]
        return sorted(events, key=lambda event: event.when)

    def _once(self, key: Any, when: datetime.datetime | None, source: str, subject: str, text: str) -> Iterator[Event]:
        if when is not None and key not in self._seen:
            self._seen.add(key)
            yield Event(when, source, subject, text)

    def _changed(self, source: str, subject: str, state: str, when: datetime.datetime | None = None) -> Iterator[Event]:
        if self._states.get((source, subject)) != state:
            self._states[source, subject] = state
            yield Event(when or now(), source, subject, state)

    def _of_cluster(self, cluster: sahara_cluster.Cluster) -> Iterator[Event]:
        created = moment(cluster.document.get("created_at")) or now()
        yield from self._once("created", created, "sahara", "cluster", f"{cluster.name} was asked for")
        changed = moment(cluster.document.get("updated_at"))
        if self._states.get(("sahara", "cluster")) != cluster.status:
            self._status_since = changed or now()
        yield from self._changed("sahara", "cluster", cluster.status, changed)
        if cluster.reason:
            yield from self._changed("sahara", "says", cluster.reason, changed)

    def _of_steps(self, cluster: sahara_cluster.Cluster) -> Iterator[Event]:
        for step in cluster.steps:
            began, changed = moment(step["created_at"]), moment(step["updated_at"] or step["created_at"])
            name = step["step_name"]
            yield from self._once((step["id"], "began"), began, "step", name, f"of {step['total']} began")
            for one in step.get("events") or []:
                when = moment(one["created_at"])
                text = "done" if one.get("successful") else f"FAILED: {one.get('event_info') or 'no words'}"
                subject = f"{name}, {one.get('instance_name') or 'cluster'}"
                yield from self._once(one["id"], when, "step", subject, text)
            if step.get("successful") is not None:
                text = "done" if step["successful"] else "FAILED"
                yield from self._once((step["id"], "ended"), changed, "step", name, text)

    def _of_heat(self, snapshot: Snapshot) -> Iterator[Event]:
        for one in snapshot.heat:
            when, reason = moment(one["event_time"]), one.get("resource_status_reason") or ""
            failed = "FAILED" in one["resource_status"]
            text = one["resource_status"] + (f": {reason}" if failed else "")
            yield from self._once(one["id"], when, "heat", one["resource_name"], text)

    def _of_nova(self, snapshot: Snapshot) -> Iterator[Event]:
        for node in self.cluster.nodes:
            server = snapshot.servers.get(node.instance_id)
            if server is None:
                continue
            fault = (server.get("fault") or {}).get("message", "")
            task = server.get("OS-EXT-STS:task_state")
            state = server["status"] + (f" ({task})" if task else "") + (f": {fault}" if fault else "")
            yield from self._changed("nova", node.name, state, moment(server.get("updated")))

    def _of_manager(self, snapshot: Snapshot) -> Iterator[Event]:
        for one in snapshot.commands:
            when = moment(one.get("startTime"))
            yield from self._once(("cm", one["id"]), when, "manager", one["name"], "in work")
        for name, role in snapshot.roles.items():
            state = f"{role.get('roleState')}, health {role.get('healthSummary')}"
            known = ("manager", name) in self._states
            for event in self._changed("manager", name, state):
                # Roles that have been well all the time are no news.
                if known or role.get("healthSummary") not in _QUIET_HEALTH:
                    yield event

    def _of_jobs(self, snapshot: Snapshot) -> Iterator[Event]:
        for job in snapshot.jobs:
            when = moment(job.get("end_time")) or moment(job.get("start_time")) or moment(job.get("created_at"))
            text = ": ".join(filter(None, (job_status(job), sahara_cluster.job_error(job))))
            yield from self._changed("job", job["id"][:8], text, when)

    def spans(self) -> list[Span]:
        """What took time, in the order in which it began."""
        found = []
        for step in self.cluster.steps:
            began, good = moment(step["created_at"]), step.get("successful")
            ended = moment(step["updated_at"] or step["created_at"]) if good is not None else None
            if began:
                found.append(Span("step", step["step_name"], began, ended, good))
        snapshot = self.latest
        assert snapshot is not None
        for node in self.cluster.nodes:
            for action in snapshot.actions.get(node.instance_id, []):
                began = moment(action["start_time"])
                ended = moment(action.get("updated_at"))
                if began and action["action"] == "create":
                    # An action's record is written when it ends; the server's own state tells of one without it.
                    active = snapshot.servers.get(node.instance_id, {}).get("status") in ("ACTIVE", "ERROR")
                    found.append(Span("node", node.name, began, ended if active else None, active or None))
        for job in snapshot.jobs:
            began = moment(job.get("start_time")) or moment(job.get("created_at"))
            if began:
                status = job_status(job)
                good = status == "SUCCEEDED" if status in _ENDED_JOBS else None
                found.append(Span("job", job["id"][:8], began, moment(job.get("end_time")), good))
        return sorted(found, key=lambda span: span.began)

    def began(self) -> datetime.datetime:
        """When the cluster was asked for."""
        return moment(self.cluster.document.get("created_at")) or now()

    def waiting(self) -> list[Waiting]:
        """What is being waited for, the most telling first; empty when nothing is."""
        if self.gone:
            return []
        found = []
        for step in self.cluster.steps:
            if step.get("successful") is None:
                events = step.get("events") or []
                ended = {one.get("instance_name") for one in events if one.get("successful")}
                missing = [node.name for node in self.cluster.nodes if node.name not in ended]
                what = f"{step['step_name']}: {len(events)} of {step['total']}"
                if events and step["total"] == len(self.cluster.nodes) and missing:
                    what += f", not yet {', '.join(missing[:3])}{' ...' if len(missing) > 3 else ''}"
                found.append(Waiting(what, moment(step["created_at"]) or self._status_since))
        assert self.latest is not None
        for command in self.latest.commands:
            since = moment(command.get("startTime")) or self._status_since
            found.append(Waiting(f"Cloudera Manager's command {command['name']}", since))
        for job in self.latest.jobs:
            if job_status(job) not in _ENDED_JOBS:
                since = moment(job.get("start_time")) or moment(job.get("created_at")) or self._status_since
                found.append(Waiting(f"job {job['id'][:8]}, {job_status(job)}", since))
        status = self.cluster.status
        if not found and status not in ("Active", "Error"):
            found.append(Waiting(f"the cluster to get on from {status}", self._status_since))
        if self.cluster.reason and found and status != "Error":
            found[0] = dataclasses.replace(found[0], what=f"{found[0].what} ({self.cluster.reason})")
        return found

    def finished(self) -> bool:
        """Whether nothing more is to be expected: made, failed or gone, and no job runs."""
        return self.gone is not None or (self.cluster.status in ("Active", "Error") and not self.waiting())


def job_status(job: dict[str, Any]) -> str:
    """The state of a job execution."""
    return (job.get("info") or {}).get("status") or "PENDING"

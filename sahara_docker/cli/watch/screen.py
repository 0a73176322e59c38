# SPDX-License-Identifier: Apache-2.0
"""A story on one screen of a terminal, drawn anew each time; plain control sequences, so that ssh is enough."""

from __future__ import annotations

import collections

from sahara_docker.cli.watch import lines
from sahara_docker.cli.watch.story import Event, Story, now

_MARKS = {True: "done", False: "FAILED", None: "..."}
HOME_AND_CLEAR = "\033[H\033[J"


def draw(story: Story, events: list[Event], *, width: int, height: int) -> str:
    """Return the whole screen.

    Steps and nodes come first, as many as there is room for; the newest events take what is left.

    :param events: all that are to be shown, oldest first.
    """
    until = now()
    cluster, snapshot = story.cluster, story.latest
    assert snapshot is not None
    rows = [
        f"{cluster.name}  {cluster.plugin} {cluster.version}  {'gone' if story.gone else cluster.status}  "
        f"{lines.duration((until - story.began()).total_seconds())} since {story.began():%H:%M:%S} UTC"
    ]
    rows += [lines.waiting(one, until) for one in story.waiting()[:2]] or ["nothing is being waited for"]
    rows.append("")
    steps = [span for span in story.spans() if span.kind == "step"]
    for span in steps[-max(height // 3, 4) :]:
        rows.append(f"  {span.began:%H:%M:%S} {span.seconds(until):5.0f} s  {_MARKS[span.good]:<7} {span.name}")
    rows.append("")
    causes = _causes(events)
    for node in cluster.nodes[: max(height // 4, 3)]:
        server = snapshot.servers.get(node.instance_id, {})
        state = server.get("status", "not yet")
        rows.append(f"  {node.name:<28} {node.address:<15} {state:<8} {causes.get(node.name, '')}")
    if len(cluster.nodes) > max(height // 4, 3):
        rows.append(f"  ... {len(cluster.nodes)} nodes in all")
    if snapshot.roles:
        health = collections.Counter(role.get("healthSummary") for role in snapshot.roles.values())
        rows.append("  roles: " + ", ".join(f"{count} {name}" for name, count in sorted(health.items(), key=str)))
    for span in story.spans():
        if span.kind == "job":
            rows.append(f"  job {span.name}  {_MARKS[span.good]}  {lines.duration(span.seconds(until))}")
    rows.append("")
    room = height - len(rows) - 1
    rows += [lines.event(one) for one in events[-room:]] if room > 0 else []
    return HOME_AND_CLEAR + "\n".join(row[: width - 1] for row in rows[: height - 1])


def _causes(events: list[Event]) -> dict[str, str]:
    """The last failure that an event tells of each node."""
    found = {}
    for one in events:
        if "FAILED" in one.text or "ERROR" in one.text:
            found[one.subject.rpartition(", ")[2]] = one.text
    return found

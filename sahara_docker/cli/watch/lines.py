# SPDX-License-Identifier: Apache-2.0
"""A story as lines: one an event, and the summary of where the time went."""

from __future__ import annotations

import datetime

from sahara_docker.cli.watch.story import Event, Span, Story, Waiting, now


def event(one: Event) -> str:
    """Return an event as a line."""
    return f"{one.when:%H:%M:%S}  {one.source:<8} {one.subject}: {one.text}"


def waiting(one: Waiting, until: datetime.datetime) -> str:
    """Return what is being waited for, and how long already."""
    return f"waiting for {one.what}, since {one.since:%H:%M:%S} ({duration((until - one.since).total_seconds())})"


def duration(seconds: float) -> str:
    """Return 75 as ``1 min 15 s``."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole // 60 % 60:02} min"


def last_end(spans: list[Span], otherwise: datetime.datetime) -> datetime.datetime:
    """When the last of some spans ended, or *otherwise* when one goes on or there is none."""
    ends = [span.ended for span in spans if span.ended]
    return max(ends) if ends and len(ends) == len(spans) else otherwise


def summary(story: Story) -> list[str]:
    """Return where the time went: each step with its share, nodes and jobs."""
    until, began = now(), story.began()
    spans = story.spans()
    steps = [span for span in spans if span.kind == "step"]
    end = last_end(steps, until)
    total = max((end - began).total_seconds(), 1)
    state = "gone" if story.gone else story.cluster.status
    lines = [f"{story.cluster.name} is {state}; {len(story.cluster.nodes)} nodes; {duration(total)} in all"]
    if story.cluster.status == "Error":
        lines.append(f"  {story.cluster.reason}")
    for span in steps:
        seconds = span.seconds(end)
        mark = {True: "", False: "  FAILED", None: "  not done"}[span.good]
        lines.append(f"  {seconds:6.0f} s {seconds / total:5.0%}  {span.name}{mark}")
    covered = _covered(steps, end)
    if steps:
        lines.append(
            f"  {total - covered:6.0f} s {(total - covered) / total:5.0%}  before, between and after the steps"
        )
    nodes = sorted((span for span in spans if span.kind == "node"), key=lambda span: -span.seconds(until))
    if nodes:
        lines.append(f"  slowest node: {nodes[0].name}, {duration(nodes[0].seconds(until))} in Nova")
    for span in spans:
        if span.kind == "job":
            mark = {True: "", False: ", FAILED", None: ", in work"}[span.good]
            lines.append(f"  job {span.name}: {duration(span.seconds(until))}{mark}")
    return lines


def _covered(spans: list[Span], end: datetime.datetime) -> float:
    """Seconds in which at least one of the spans went on; they may overlap."""
    covered, reached = 0.0, datetime.datetime.min.replace(tzinfo=datetime.timezone.utc)
    for span in sorted(spans, key=lambda one: one.began):
        start, stop = max(span.began, reached), span.ended or end
        covered += max((stop - start).total_seconds(), 0)
        reached = max(reached, stop)
    return covered

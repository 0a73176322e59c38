# SPDX-License-Identifier: Apache-2.0
"""The subcommand ``watch``."""

from __future__ import annotations

import argparse
import datetime
import re
import shutil
import sys
import time
from pathlib import Path

from sahara_docker import exceptions
from sahara_docker.cli import cloud, cluster
from sahara_docker.cli.watch import lines, screen, sources, timeline
from sahara_docker.cli.watch.story import Event, Story, now

_EPILOG = """
On a terminal one screen, drawn anew; else one line an event, for a log. Ends when the cluster is made, failed or
deleted and no job runs, with a summary of where the time went. Exit code: 0, or 2 when the cluster is in Error.
"""
_REPEATED = 60  # seconds after which a log is told again what is being waited for
_PATIENCE = 120  # seconds for which Sahara may not answer
_ERROR = 2


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("watch", help="show what is going on in a cluster", epilog=_EPILOG)
    parser.add_argument("cluster", metavar="CLUSTER", help="name or id")
    parser.add_argument(
        "--since", metavar="WHEN", help="show events from then on: 10m, 2h, or 2026-01-31T12:00:00 (UTC)"
    )
    parser.add_argument("--follow", action="store_true", help="go on when there is nothing to wait for")
    parser.add_argument("--svg", metavar="FILE", type=Path, help="write where the time went as a picture at the end")
    parser.add_argument("--interval", type=float, default=1, metavar="S", help="seconds between two looks (1)")
    cloud.add_arguments(parser)
    parser.set_defaults(run=run)


def since(text: str | None) -> datetime.datetime | None:
    """Read ``--since``.

    :raises SaharaDockerError: it is no time.
    """
    if not text:
        return None
    ago = re.fullmatch(r"(\d+)([smh])", text)
    if ago:
        unit = {"s": "seconds", "m": "minutes", "h": "hours"}[ago[2]]
        return now() - datetime.timedelta(**{unit: int(ago[1])})
    try:
        return sources.moment(text)
    except ValueError:
        raise exceptions.SaharaDockerError(
            "this is no time", observed=text, remedy="write 10m, 2h or 2026-01-31T12:00:00"
        ) from None


def run(arguments: argparse.Namespace) -> int:
    """Run the subcommand and return its exit code."""
    start = since(arguments.since)
    openstack = cloud.connect(arguments.os_cloud, arguments.os_region_name)
    story = Story()
    identifier = cluster.find(openstack, arguments.cluster).id
    view = _Screen() if sys.stdout.isatty() else _Log()
    try:
        _follow(openstack, identifier, story, view, start, arguments)
    except KeyboardInterrupt:
        print(file=sys.stdout)
    if story.latest is None:
        return 0
    print("\n".join(lines.summary(story)))
    if arguments.svg:
        try:
            arguments.svg.write_text(timeline.svg(story))
        except OSError as error:
            raise exceptions.SaharaDockerError(
                "the picture cannot be written", where=str(arguments.svg), observed=error.strerror or str(error)
            ) from error
    return _ERROR if story.cluster.status == "Error" else 0


def _follow(
    openstack: cloud.Cloud,
    identifier: str,
    story: Story,
    view: _View,
    start: datetime.datetime | None,
    arguments: argparse.Namespace,
) -> None:
    silent_since = None
    while True:
        try:
            events = story.observe(sources.take(openstack, identifier))
            silent_since = None
        except cloud.CloudError as error:
            # A restart of the API must not end the watching.
            silent_since = silent_since or time.monotonic()
            if time.monotonic() - silent_since > _PATIENCE or story.latest is None:
                raise
            events = [Event(now(), "watch", "sahara", f"does not answer: {error.observed}")]
        view.show(story, [one for one in events if start is None or one.when >= start])
        if story.gone or (story.finished() and not arguments.follow):
            return
        time.sleep(arguments.interval)


class _View:
    """Shows a story while it goes on."""

    def show(self, story: Story, events: list[Event]) -> None:
        """Show what is new."""
        raise NotImplementedError


class _Screen(_View):
    def __init__(self) -> None:
        self._events: list[Event] = []

    def show(self, story: Story, events: list[Event]) -> None:
        self._events = [*self._events, *events][-500:]
        if story.latest is None:
            return
        size = shutil.get_terminal_size((100, 40))
        print(screen.draw(story, self._events, width=size.columns, height=size.lines), flush=True)


class _Log(_View):
    def __init__(self) -> None:
        self._said, self._when = "", 0.0

    def show(self, story: Story, events: list[Event]) -> None:
        for one in events:
            print(lines.event(one), flush=True)
        found = story.waiting() if story.latest else []
        what = found[0].what if found else ""
        if what and (what != self._said or time.monotonic() - self._when > _REPEATED):
            print(f"{now():%H:%M:%S}  {lines.waiting(found[0], now())}", flush=True)
            self._said, self._when = what, time.monotonic()

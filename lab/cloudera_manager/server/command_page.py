# SPDX-License-Identifier: Apache-2.0
"""Commands for people: the newest in a table, each with its parts as a tree on a page of its own."""

from __future__ import annotations

import time

from . import markup
from .errors import not_found
from .markup import Markup, element, link
from .model import Command, Model

SHOWN = 40
REFRESH = 5


def state(command: Command) -> str:
    """Return whether a command is active, or how it ended."""
    return "active" if command.active else "success" if command.success else "failed"


def _about(command: Command) -> str:
    return " ".join(name for name in (command.cluster, command.service, command.role, command.host) if name)


def _seconds(command: Command) -> str:
    return f"{(command.ended or time.time()) - command.started:.1f}"


def newest(model: Model) -> Markup:
    """Return a table of the newest commands that are no part of another one."""
    commands = [command for _, command in sorted(model.commands.items(), reverse=True) if command.parent is None]
    rows: list[tuple[str | None, list[object]]] = [
        (f"command-{command.id}", [
            link(f"{command.id} {command.name}", f"/commands/{command.id}"), _about(command),
            markup.mark(state(command)), _seconds(command), (command.message or "").partition("\n")[0],
        ])
        for command in commands[:SHOWN]
    ]  # fmt: skip
    return markup.table(["command", "about", "state", "seconds", "message"], rows)


def _branch(model: Model, command: Command) -> Markup:
    message = element("pre", command.message) if command.message else ""
    children = [model.commands[number] for number in command.children if number in model.commands]
    below = element("ul", *(_branch(model, child) for child in children)) if children else ""
    heading = element("strong", command.name)
    words = f" {_about(command)}, {_seconds(command)} s "
    return element("li", heading, words, markup.mark(state(command)), message, below, id=f"command-{command.id}")


def render(model: Model, number: int) -> str:
    """Return the page of a command; it comes again while the command runs.

    :raises ApiError: 404.
    """
    command = model.commands.get(number)
    if command is None:
        raise not_found("Command", str(number))
    navigation = [link("overview", "/"), link("commands", "/#commands")]
    if command.parent is not None:
        navigation.append(link(f"part of command {command.parent}", f"/commands/{command.parent}"))
    started = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(command.started))
    return markup.document(
        f"Command {command.id} {command.name}", navigation, element("p", f"Started {started}."),
        element("ul", _branch(model, command), class_="tree"), refresh=REFRESH if command.active else None,
    )  # fmt: skip

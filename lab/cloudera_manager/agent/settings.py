# SPDX-License-Identifier: Apache-2.0
"""Where the agent keeps things, and its ``config.ini``."""

from __future__ import annotations

import configparser
import dataclasses
import pathlib

DEFAULT_PORT = 7182


class SettingsError(Exception):
    """``config.ini`` is missing or wrong; the text says what to write into it."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What an agent needs to know before it starts."""

    server_host: str
    server_port: int = DEFAULT_PORT
    hostname: str = ""
    state_directory: pathlib.Path = pathlib.Path("/var/lib/cloudera-scm-agent")
    process_directory: pathlib.Path = pathlib.Path("/run/cloudera-scm-agent/process")


def read(path: pathlib.Path) -> Settings:
    """Read ``config.ini``: in ``[General]`` a ``server_host``, and optionally ``server_port``, ``listening_hostname``.

    Sahara replaces the ``server_host=`` line with sed, so a file of that single line without a section is read as well.

    :raises SettingsError: the file is missing, unreadable or names no server.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}; write a line server_host=<manager> into it") from error
    if "[General]" not in text:
        text = f"[General]\n{text}"
    # No interpolation: a percent sign is just a character here.
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text, source=str(path))
        section = parser["General"]
        port = section.getint("server_port", fallback=DEFAULT_PORT)
    except (configparser.Error, ValueError) as error:
        raise SettingsError(f"{path}: {error}") from error
    host = section.get("server_host", "").strip()
    if not host:
        raise SettingsError(f"{path}: no server_host; write a line server_host=<manager> into [General]")
    return Settings(server_host=host, server_port=port, hostname=section.get("listening_hostname", "").strip())

# SPDX-License-Identifier: Apache-2.0
"""The files and directories that a process needs before it starts."""

from __future__ import annotations

import os
import pathlib
import pwd
import shutil
from typing import Any

from .. import durable

KEPT = 3


class FilesError(Exception):
    """A file, directory or user that a process needs cannot be had; the text names it."""


def account(user: str) -> pwd.struct_passwd:
    """Return the account called ``user``.

    :raises FilesError: there is none.
    """
    try:
        return pwd.getpwnam(user)
    except KeyError as error:
        raise FilesError(f"there is no user {user!r} on this host; the node image has to bring it") from error


def fill_in(text: str, directory: pathlib.Path) -> str:
    """Replace ``{process_dir}`` by the process directory, which only the agent knows."""
    return text.replace("{process_dir}", str(directory))


def environment(spec: dict[str, Any], directory: pathlib.Path) -> dict[str, str]:
    """Return the environment of a process: its ``env``, and a CLASSPATH that begins with the ``class_path_file``'s.

    :raises FilesError: there is no such file.
    """
    env = {name: fill_in(value, directory) for name, value in spec["env"].items()}
    path = pathlib.Path(spec["class_path_file"])
    try:
        jars = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise FilesError(f"{path}: {error.strerror}; the node image has to bring it") from error
    env["CLASSPATH"] = ":".join(filter(None, (jars, str(directory), env.get("HADOOP_CLASSPATH"))))
    return env


def write(directory: pathlib.Path, files: dict[str, str], user: str) -> None:
    """Write ``files`` (name to text) into ``directory`` for ``user``, creating the directory.

    :raises FilesError: the directory cannot be written or there is no such user.
    """
    owner = account(user)
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o751)
        (directory / "logs").mkdir(exist_ok=True)
        for name, text in files.items():
            path = directory / name
            durable.write_text(path, fill_in(text, directory), mode=0o640)
            os.chown(path, owner.pw_uid, owner.pw_gid)
        for path in (directory, directory / "logs"):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    except OSError as error:
        raise FilesError(f"{error.filename or directory}: {error.strerror}") from error


def make_directories(directories: list[dict[str, Any]]) -> None:
    """Create each ``{"path", "user", "mode"}`` (mode an octal string), with its missing parents owned by root.

    An entry may have ``files`` to write there (name to text). Whatever else lies in a directory is left alone: it may
    be a NameNode's or a DataNode's data of an earlier start.

    :raises FilesError: one cannot be made.
    """
    for wanted in directories:
        path, owner = pathlib.Path(wanted["path"]), account(wanted["user"])
        try:
            path.mkdir(parents=True, exist_ok=True)
            os.chown(path, owner.pw_uid, owner.pw_gid)
            os.chmod(path, int(wanted["mode"], 8))
            for name, text in wanted.get("files", {}).items():
                durable.write_text(path / name, text, mode=0o644)
        except OSError as error:
            raise FilesError(f"directory {path}: {error.strerror}") from error


def write_client_configuration(directory: pathlib.Path, files: dict[str, str]) -> None:
    """Write the client configuration for everyone on this host, each file in one step.

    :raises FilesError: the directory cannot be written.
    """
    try:
        for name, text in files.items():
            durable.write_text(directory / name, text, mode=0o644)
        directory.chmod(0o755)
    except OSError as error:
        raise FilesError(f"client configuration {directory}: {error.strerror}") from error


def remove_old(parent: pathlib.Path, name: str, current: int) -> None:
    """Remove the process directories ``<n>-<name>`` but the newest few: their XML and output help to find a cause."""
    numbers = sorted(
        int(number)
        for number, _, rest in (entry.name.partition("-") for entry in parent.iterdir())
        if rest == name and number.isdigit()
    )
    for number in [number for number in numbers if number != current][: -KEPT + 1]:
        shutil.rmtree(parent / f"{number}-{name}", ignore_errors=True)

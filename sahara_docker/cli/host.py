# SPDX-License-Identifier: Apache-2.0
"""This host: its kernel's files, its processes, the configuration of the services on it."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path
from typing import Callable, Iterator

from oslo_config import cfg

from sahara_docker import exceptions


@dataclasses.dataclass(frozen=True)
class Process:
    """A running process: its number, arguments and the numbers of its user and groups."""

    pid: int
    arguments: tuple[str, ...]
    uid: int
    gids: frozenset[int]

    @property
    def program(self) -> str:
        """Name of the program, or of the script that an interpreter runs."""
        words = [word for word in self.arguments[:3] if not word.startswith("-")]
        if len(words) > 1 and os.path.basename(words[0]).startswith("python"):
            return os.path.basename(words[1])
        return os.path.basename(words[0]) if words else ""

    def configuration_files(self) -> list[Path]:
        """Files that it was told to read with ``--config-file``."""
        found = []
        for word, following in zip(self.arguments, (*self.arguments[1:], "")):
            if word == "--config-file" and following:
                found.append(Path(following))
            elif word.startswith("--config-file="):
                found.append(Path(word.partition("=")[2]))
        return found


class Host:
    """The files of a machine below *root*, which is ``/`` but in tests."""

    def __init__(self, root: str | Path = "/") -> None:
        self._root = Path(root)

    def path(self, path: str) -> Path:
        """Where an absolute *path* of the host lies."""
        return self._root / path.lstrip("/")

    def read(self, path: str) -> str:
        """Return the text of a small file without surrounding white space.

        :raises SaharaDockerError: it cannot be read.
        """
        try:
            return self.path(path).read_text(errors="replace").strip()
        except OSError as error:
            raise exceptions.SaharaDockerError(
                "cannot be read", where=path, observed=error.strerror or str(error)
            ) from error

    def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        return self.path(path).exists()

    def write(self, path: str, text: str) -> None:
        """Write a file.

        :raises OSError: it cannot be written.
        """
        self.path(path).parent.mkdir(parents=True, exist_ok=True)
        self.path(path).write_text(text)

    def disk(self, path: str) -> tuple[int, int]:
        """Bytes in all and free of the file system that a path is on."""
        usage = shutil.disk_usage(self.path(path))
        return usage.total, usage.free

    def processes(self, *programs: str) -> Iterator[Process]:
        """Running processes of these names, such as ``nova-compute``."""
        for directory in self.path("/proc").glob("[0-9]*"):
            try:
                arguments = (directory / "cmdline").read_text(errors="replace").split("\0")
                process = Process(int(directory.name), tuple(arguments), -1, frozenset())
                if process.program not in programs:
                    continue
                status = dict(
                    line.split(":", 1) for line in (directory / "status").read_text().splitlines() if ":" in line
                )
                gids = {int(status["Gid"].split()[1]), *map(int, status["Groups"].split())}
                yield dataclasses.replace(process, uid=int(status["Uid"].split()[1]), gids=frozenset(gids))
            except (OSError, ValueError, KeyError):
                continue  # it has ended meanwhile

    def configuration(
        self, default: str, programs: tuple[str, ...], register: Callable[[cfg.ConfigOpts], None]
    ) -> tuple[cfg.ConfigOpts, list[str]] | None:
        """Read a service's configuration: of the running process when there is one, else of *default*.

        :param default: path of the file where distributions have it.
        :param programs: names of the service's processes.
        :param register: adds the options that the reader wants.
        :returns: the options and the files' paths; None when there is no file.
        :raises SaharaDockerError: a file cannot be read or makes no sense.
        """
        files = next((f for process in self.processes(*programs) if (f := process.configuration_files())), None)
        files = files or [self.path(default)]
        if not any(file.exists() for file in files):
            return None
        options = cfg.ConfigOpts()
        register(options)
        names = [str(file) for file in files]
        try:
            options([], project="sahara-docker", default_config_files=names, default_config_dirs=[])
        except (cfg.Error, OSError) as error:
            raise exceptions.SaharaDockerError(
                "the configuration cannot be read", where=", ".join(names), observed=str(error),
                remedy="run this as a user who may read it",
            ) from error  # fmt: skip
        return options, names

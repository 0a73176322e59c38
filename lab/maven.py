# SPDX-License-Identifier: Apache-2.0
"""The machine's own Maven, which fetches from wherever it is configured to look."""

from __future__ import annotations

import shutil
from pathlib import Path

from lab import command
from sahara_docker import exceptions


class NoMaven(exceptions.SaharaDockerError):
    """There is no Maven on this machine."""


def copy(pom: Path, goal: str, directory: Path, repository: Path, log: Path, timeout: float = 900) -> None:
    """Have the dependency plug-in copy the jars that *pom* names into *directory*.

    What *repository* already has is not asked for again, so this also works without a network then.

    :param goal: of the plug-in, such as ``copy-dependencies``.
    :param repository: Maven's local repository; the user's own is left as it is.
    :param log: takes Maven's output.
    :param timeout: seconds.
    :raises NoMaven: with what to install.
    :raises lab.command.CommandFailed: Maven failed; with its last lines and the log's path.
    """
    if not shutil.which("mvn"):
        raise NoMaven("no Maven on this machine", remedy="install the packages maven and default-jdk-headless")
    words = ["mvn", "--batch-mode", "--quiet", "--file", pom, f"-Dmaven.repo.local={repository}"]
    words += [f"dependency:{goal}", f"-DoutputDirectory={directory}"]
    what = f"fetching the jars of {pom.parent.name}"
    if repository.exists():
        try:
            # Offline first: asking takes Maven seconds even when every file is there.
            command.run([*words, "--offline"], log=log, what=what, timeout=120)
            return
        except command.CommandFailed:
            if command.cancelled.is_set():
                raise
    command.run(words, log=log, what=what, timeout=timeout)

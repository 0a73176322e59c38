# SPDX-License-Identifier: Apache-2.0
"""Lay out Oozie for the node image: ``opt/oozie`` with its jars, its share lib, its defaults and what starts it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from lab import maven
from sahara_docker import exceptions

HERE = Path(__file__).parent

#: What goes to HDFS: a directory for each kind of action that has one, and the jars in it, without their versions.
#: ``oozie`` is on every action's class path. Hadoop's own jars are on each node and need not come from here.
SHARELIB = {
    "oozie": ("oozie-sharelib-oozie", "oozie-client", "oozie-fluent-job-api", "json-simple"),
    "mapreduce-streaming": ("oozie-sharelib-streaming", "hadoop-streaming"),
}

#: Seconds for Maven to fetch some 15 MB, on a slow line too.
FETCH_TIMEOUT = 900


def build(target: Path, progress: Callable[[str], None]) -> None:
    """Make ``target/opt/oozie``, anew when something of it changed since the last time.

    :param target: a directory whose content is copied to ``/`` of the image.
    :param progress: takes one line about what is going on.
    :raises lab.maven.NoMaven, lab.command.CommandFailed: see :func:`lab.maven.copy`; its log is in ``log`` beside
        ``layers``.
    """
    home = target / "opt" / "oozie"
    jars = home / "lib"
    pom = home / "pom.xml"
    if not (pom.is_file() and pom.read_bytes() == (HERE / "pom.xml").read_bytes()):
        progress("fetching Oozie's jars")
        shutil.rmtree(home, ignore_errors=True)
        state = target.parents[1]
        maven.copy(HERE / "pom.xml", "copy", jars, state / "maven", state / "log" / "oozie.log", FETCH_TIMEOUT)
        _split_off_sharelib(jars, home / "sharelib")
        shutil.copyfile(HERE / "pom.xml", pom)  # last: it says that the jars are all there
    progress("laying out Oozie")
    for name in ("bin", "conf", "webroot"):
        _replace(HERE / name, home / name)
    _replace(HERE / "server", home / "python" / "oozie_server")


def _split_off_sharelib(jars: Path, sharelib: Path) -> None:
    """Copy the share lib's jars; the server has no use for the streaming jars, so those move."""
    for kind, artifacts in SHARELIB.items():
        directory = sharelib / kind
        directory.mkdir(parents=True)
        for artifact in artifacts:
            found = sorted(jars.glob(f"{artifact}-[0-9]*.jar"))
            if len(found) != 1:
                raise exceptions.SaharaDockerError(
                    f"the share lib needs one jar of {artifact}",
                    where=str(jars),
                    observed=f"{len(found)} jars",
                    remedy="mend lab/oozie/pom.xml",
                )
            shutil.copy(found[0], directory)
            if kind != "oozie":
                found[0].unlink()


def _replace(source: Path, destination: Path) -> None:
    shutil.rmtree(destination, ignore_errors=True)
    shutil.copytree(source, destination, ignore=shutil.ignore_patterns("__pycache__"))

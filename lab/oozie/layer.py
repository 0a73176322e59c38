# SPDX-License-Identifier: Apache-2.0
"""Lay out Oozie for the node image: ``opt/oozie`` with its jars, its share lib, its defaults and what starts it."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

from lab import layer
from lab.oozie import relocation
from sahara_docker import exceptions

HERE = Path(__file__).parent
_EMPTY = HERE / "empty-resource.xml"

#: What goes to HDFS: a directory for each kind of action that has one, and the jars in it, without their versions.
#: ``oozie`` is on every action's class path. Hadoop's own jars are on each node and need not come from here.
SHARELIB = {
    "oozie": ("oozie-sharelib-oozie", "oozie-client", "oozie-fluent-job-api", "json-simple"),
    "mapreduce-streaming": ("oozie-sharelib-streaming", "hadoop-streaming"),
    "hive": ("oozie-sharelib-hive",),
    "pig": (
        "oozie-sharelib-pig", "pig", "antlr-runtime", "ST4", "automaton", "jackson-core-asl", "jackson-mapper-asl",
        "jline", "joda-time", "RoaringBitmap",
    ),
}  # fmt: skip

#: Libraries that a program has under another name than their own, without its jar on Maven Central bringing them.
RELOCATED = {"RoaringBitmap": ("org.roaringbitmap", "org.apache.pig.org.roaringbitmap")}

#: Hadoop's classes name these as configuration files that every program reads (YarnConfiguration, HdfsConfiguration).
#: Most skip what is not there; one that reads loudly, such as FsShell as the main class of a Java action, fails.
EMPTY_RESOURCES = ("resource-types.xml", "hdfs-rbf-default.xml", "hdfs-rbf-site.xml")


def build(target: Path, progress: Callable[[str], None]) -> None:
    """Make ``target/opt/oozie``; see :func:`lab.layer.build`."""
    home = layer.build(HERE, target, progress, _make_sharelib)
    for name in ("conf", "webroot"):
        layer.replace(HERE / name, home / name)
    layer.replace(HERE / "server", home / "python" / "oozie_server")


def _make_sharelib(home: Path) -> None:
    _split_off_jars(home / "lib", home / "sharelib")
    _put_empty_resources(home / "sharelib" / "oozie")


def _split_off_jars(jars: Path, sharelib: Path) -> None:
    """Copy the share lib's jars; the server has no use for those of one kind of action, so they move."""
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
            if artifact in RELOCATED:
                relocation.relocate(found[0], *RELOCATED[artifact], directory / found[0].name)
            else:
                shutil.copy(found[0], directory)
            if kind != "oozie":
                found[0].unlink()


def _put_empty_resources(directory: Path) -> None:
    """In a jar, because a launcher does not start with any other file of the share lib beside its jars."""
    with zipfile.ZipFile(directory / "hadoop-empty-resources.jar", "w") as jar:
        for name in EMPTY_RESOURCES:
            # An entry of its own, whose date is always the same.
            jar.writestr(zipfile.ZipInfo(name), _EMPTY.read_bytes())

# SPDX-License-Identifier: Apache-2.0
"""Fetches Hadoop's jars from Maven Central."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from lab import maven
from sahara_docker import exceptions

POM = Path(__file__).with_name("pom.xml")


class HadoopUnavailable(exceptions.SaharaDockerError):
    """Hadoop's jars could not be had."""


def fetch(directory: Path, log: Path, timeout: float = 900) -> None:
    """Fill *directory* with the jars of ``pom.xml``, flat.

    *directory* appears only when it is complete.

    :param log: takes Maven's output.
    :param timeout: seconds, for Maven.
    :raises HadoopUnavailable: Maven brought no Hadoop.
    :raises lab.maven.NoMaven, lab.command.CommandFailed: see :func:`lab.maven.copy`.
    """
    new = directory.with_name(directory.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    maven.copy(POM, "copy-dependencies", new, directory.parent / "maven", log, timeout)
    tests = list(new.glob("hadoop-hdfs-*-tests.jar"))
    if len(tests) != 1:
        names = sorted(jar.name for jar in new.iterdir())
        raise HadoopUnavailable("Maven brought no Hadoop", where=str(new), observed=f"{len(names)} files: {names[:5]}")
    extract_webapps(tests[0], tests[0].with_name(tests[0].name.replace("-tests", "-webapps")))
    tests[0].unlink()
    shutil.rmtree(directory, ignore_errors=True)
    new.rename(directory)


def extract_webapps(tests: Path, webapps: Path) -> None:
    """Write *webapps*, a jar of the ``webapps/`` tree in HDFS's jar of *tests*.

    HDFS's daemons serve these pages and do not start without them. Apache's tarball has them in a directory; on Maven
    Central only the jar of the tests has.

    :raises HadoopUnavailable: *tests* holds no such tree.
    """
    with zipfile.ZipFile(tests) as source, zipfile.ZipFile(webapps, "w", zipfile.ZIP_DEFLATED) as target:
        pages = [entry for entry in source.infolist() if entry.filename.startswith("webapps/")]
        for entry in pages:
            target.writestr(entry, source.read(entry), zipfile.ZIP_DEFLATED)
    if not pages:
        raise HadoopUnavailable("no pages of HDFS's daemons", where=tests.name, observed="no webapps/ in it")

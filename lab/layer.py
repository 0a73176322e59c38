# SPDX-License-Identifier: Apache-2.0
"""Software of the node image that Maven Central has as jars, laid out as it lies on a node: ``opt/NAME``."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from lab import fingerprint, maven

#: Seconds for Maven to fetch some 50 MB, on a slow line too.
FETCH_TIMEOUT = 900


def _nothing(home: Path) -> None:
    """Leave the jars as Maven brought them."""


def build(
    recipe: Path, target: Path, progress: Callable[[str], None], arrange: Callable[[Path], None] = _nothing
) -> Path:
    """Make ``target/opt/NAME`` of a recipe's project file and programs, which get a link on everyone's PATH.

    :param recipe: a directory NAME with ``pom.xml`` and ``bin``.
    :param target: a directory whose content is copied to ``/`` of the image; Maven's log is in ``log`` beside
        ``layers``, its parent.
    :param progress: takes one line about what is going on.
    :param arrange: called once with ``target/opt/NAME`` when its ``lib`` has the jars.
    :returns: ``target/opt/NAME``.
    :raises lab.maven.NoMaven, lab.command.CommandFailed: see :func:`lab.maven.copy`.
    """
    home = target / "opt" / recipe.name
    fetch(recipe, home, progress, arrange)
    replace(recipe / "bin", home / "bin")
    links = target / "usr" / "bin"
    shutil.rmtree(links, ignore_errors=True)
    links.mkdir(parents=True)
    for program in (home / "bin").iterdir():
        (links / program.name).symlink_to(f"/opt/{recipe.name}/bin/{program.name}")
    return home


def fetch(
    recipe: Path, home: Path, progress: Callable[[str], None], arrange: Callable[[Path], None] = _nothing
) -> None:
    """Have the jars that ``recipe/pom.xml`` lists in ``home/lib``, anew when the list or the recipe's code changed."""
    made_from = fingerprint.of(*sorted(path for path in recipe.iterdir() if path.suffix in (".py", ".xml")))
    mark = home / "made-from"
    if mark.is_file() and mark.read_text() == made_from:
        return
    progress(f"fetching the jars of {recipe.name}")
    shutil.rmtree(home, ignore_errors=True)
    state = home.parents[3]
    log = state / "log" / f"{recipe.name}.log"
    maven.copy(recipe / "pom.xml", "copy", home / "lib", state / "maven", log, FETCH_TIMEOUT)
    arrange(home)
    mark.write_text(made_from)  # last: it says that the jars are all there


def replace(source: Path, destination: Path) -> None:
    """Make *destination* a copy of the directory *source*."""
    shutil.rmtree(destination, ignore_errors=True)
    shutil.copytree(source, destination, ignore=shutil.ignore_patterns("__pycache__"))

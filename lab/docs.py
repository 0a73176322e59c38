# SPDX-License-Identifier: Apache-2.0
"""``make docs``: the documentation as web pages, from ``docs/``, the code's options and commands, and release notes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from lab import command, console, packages, settings

SOURCE = settings.CHECKOUT / "docs"
PAGES = settings.CHECKOUT / "build" / "docs"


def build(lab: settings.Lab) -> Path:
    """Make the pages and return the first of them.

    :raises CommandFailed: when Sphinx found something to warn of, such as a link that leads nowhere.
    """
    console.step("documentation ...")
    python = [package for package in packages.missing() if package.startswith("python")]
    packages.install_packages(lab, python)
    home = packages.install_environment(lab, "docs", "docs.txt")
    packages.install_project(lab, "docs")
    shutil.rmtree(PAGES, ignore_errors=True)
    # Everything is read anew (-E): what Sphinx warns of on a page, it does not say again while the page stays as it is.
    words = [home / "bin/sphinx-build", "-q", "-E", "-W", "--keep-going", "-d", lab.cache / "doctrees", SOURCE, PAGES]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command.run(words, log=lab.log / "docs.log", what="building the documentation", environment=environment)
    console.step(f"  {PAGES / 'index.html'}")
    return PAGES / "index.html"

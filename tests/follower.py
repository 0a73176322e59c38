# SPDX-License-Identifier: Apache-2.0
"""Follows a page of the documentation, command by command, on the lab that runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Set
from pathlib import Path

import fixtures

from lab import docker_engine, installation, packages, settings
from tests import documents

#: Exit statuses besides 0 of commands that say something of the machine: warnings, packages that it lacks.
_STATUSES = {"sahara-docker doctor": 1, "bindep": 1}
_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "build", "*.egg-info")


class Desk(fixtures.Fixture):
    """What the reader of a page has: a clone of the project to write to, and the ordinary programs.

    ``place`` is the clone, in which commands are run.
    """

    def __init__(self, lab: settings.Lab) -> None:
        self._lab = lab

    def _setUp(self) -> None:
        directory = Path(self.useFixture(fixtures.TempDir()).path)
        self.place = directory / "sahara-docker"
        shutil.copytree(documents.ROOT, self.place, ignore=_LEFT_OUT)
        (self.place / ".lab").symlink_to(self._lab.state)
        # In place of git's history, which the project's version comes from.
        (self.place / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: sahara-docker\nVersion: 0.1.0\n")
        tools = packages.uv(self._lab).parent, packages.install_environment(self._lab, "docs", "docs.txt") / "bin"
        programs = self._environment_for_pip(directory) / "bin", self._lab.venv / "bin", *tools
        self._variables = {
            **packages.uv_environment(self._lab),
            **installation.client_environment(self._lab),
            "LAB_STATE": str(self._lab.state),
            "DOCKER_HOST": docker_engine.host(self._lab),
            "PATH": os.pathsep.join([*map(str, programs), os.environ["PATH"]]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PIP_NO_BUILD_ISOLATION": "0",  # which is how pip spells it: build with the packages that are there
        }
        self._variables.pop("PYTHONPATH", None)

    def _environment_for_pip(self, directory: Path) -> Path:
        """A Python environment that has the lab's packages and can be installed into.

        Sahara and Nova are there, as on a cloud's hosts, so that an installation of this project changes nothing else.
        """
        home = directory / "environment"
        subprocess.run([packages.PYTHON, "-m", "venv", home], check=True, capture_output=True, timeout=120)
        (there,) = self._lab.venv.glob("lib/python3*/site-packages")
        (home / there.relative_to(self._lab.venv) / "lab.pth").write_text(f"{there}\n")
        return home

    def type(self, command: str, accepted: Set[int] = frozenset({0})) -> str:
        """Run a command; return what it printed.

        :raises AssertionError: its exit status is none of *accepted*.
        """
        began = time.monotonic()
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.place,
            env=self._variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,  # a cluster is made in the time of one
        )
        print(f"$ {command}\n{done.stdout}({time.monotonic() - began:.1f} s)\n")
        if done.returncode not in accepted:
            raise AssertionError(f"{command}: exit status {done.returncode}\n{done.stdout}")
        return done.stdout


class Page:
    """A page whose commands are run from its top to its end.

    As a context manager it fails at the end of the block when commands are left.

    :param page: its path within the checkout.
    :param stand_ins: what is typed in place of a word of the page, such as a name in place of a placeholder.
    """

    def __init__(self, desk: Desk, page: str, stand_ins: Mapping[str, str] | None = None) -> None:
        self.stand_ins = dict(stand_ins or {})
        self._desk, self._page = desk, page
        found = [one.text for one in documents.to_run() if one.page == page and one.text not in documents.ELSEWHERE]
        self._left = deque(found)

    def __enter__(self) -> Page:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        if failure is None and self._left:
            raise AssertionError(f"commands of {self._page} that were not run: {'; '.join(self._left)}")

    def follow(self, last: str = "") -> str:
        """Run the commands up to the first that begins with *last*, or all that are left; return what that one printed.

        :raises AssertionError: a command failed, or none begins so.
        """
        printed = ""
        while self._left:
            command = self._left.popleft()
            printed = self._run(command)
            if last and command.startswith(last):
                return printed
        if last:
            raise AssertionError(f"{self._page} has no more command that begins with {last}")
        return printed

    def _run(self, command: str) -> str:
        typed = command
        for word, stand_in in self.stand_ins.items():
            typed = typed.replace(word, stand_in)
        accepted = {0} | {status for beginning, status in _STATUSES.items() if command.startswith(beginning)}
        return self._desk.type(typed, accepted)

# SPDX-License-Identifier: Apache-2.0
"""``sahara-docker image build``: a base, Cloudera's packages, and what makes a node of them."""

from __future__ import annotations

import argparse
import contextlib
import secrets
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Iterator

from sahara_docker import exceptions
from sahara_docker.cli import daemon
from sahara_docker.cli.image import base, recipe, software

_BUILD_TIMEOUT = 1800
_STEPS_SHOWN = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of their own that a build has."""
    parser.add_argument(
        "--base", required=True, metavar="BASE",
        help="image (pulled when the daemon lacks it), tar of an image or of a root file system, or "
        "debootstrap:SUITE[,MIRROR]",
    )  # fmt: skip
    parser.add_argument(
        "--repository", action="append", default=[], metavar="FILE|LINE",
        help="Cloudera's packages: a file *.list for apt or *.repo for yum, or a line that starts with deb (again for "
        "more); it does not stay in the image",
    )  # fmt: skip
    parser.add_argument("--key", action="append", default=[], metavar="FILE", help="signing key of a repository")
    parser.add_argument("--packages", metavar="DIRECTORY", help="Cloudera's packages as files *.deb or *.rpm")
    parser.add_argument("--package", action="append", default=[], metavar="NAME", help="one more package")
    parser.add_argument("--without", action="append", default=[], metavar="NAME", help="leave a package out")
    parser.add_argument(
        "--overlay", metavar="DIRECTORY", help="files to lay over the packages', such as Oozie's ext-2.2"
    )
    parser.add_argument("--installed", action="store_true", help="the base has Cloudera's packages: install nothing")
    parser.add_argument(
        "--network", default="bridge", metavar="NAME", help="Docker network that packages are fetched by (bridge)"
    )
    parser.add_argument("--verbose", action="store_true", help="show what the package manager and the builder say")


def build(where: daemon.Daemon, arguments: argparse.Namespace, password: str) -> str:
    """Build what the command line asks for and return the image's id; steps are printed with their seconds.

    :param password: of the login user.
    :raises SaharaDockerError: with the cause; nothing half-made is left, and the image's name stays with its old image.
    """
    if not password:
        raise exceptions.SaharaDockerError(
            "the login user needs a password",
            where=arguments.user,
            remedy="give --password-file FILE, or - to be asked",
        )
    wanted = _software(arguments)
    login = f"{arguments.user}:{recipe.crypted(password, secrets.token_hex(8))}\n"
    show = _verbose if arguments.verbose else _quiet
    with _step(f"base {arguments.base}"):
        identifier = base.fetch(where, arguments.base)
    if wanted:
        with _step(f"{len(wanted.names)} packages" if wanted.names else "overlay"):
            identifier = software.install(where, identifier, wanted, arguments.network, show)
    with _step(f"node {arguments.image}"):
        return make_node(where, identifier, arguments.image, login, show)


def _software(arguments: argparse.Namespace) -> software.Software | None:
    given = [name for name in ("repository", "packages", "key", "package", "without") if getattr(arguments, name)]
    if arguments.installed:
        if given:
            raise exceptions.SaharaDockerError(
                "with --installed nothing is installed", observed=", ".join(f"--{name}" for name in given)
            )
        return software.Software((), overlay=arguments.overlay) if arguments.overlay else None
    if not arguments.repository and not arguments.packages:
        raise exceptions.SaharaDockerError(
            "nothing says where Cloudera's packages are", remedy="give --repository, --packages or --installed"
        )
    return software.Software(
        software.names(arguments.without, arguments.package), tuple(arguments.repository), tuple(arguments.key),
        arguments.packages, arguments.overlay,
    )  # fmt: skip


def make_node(where: daemon.Daemon, stands_on: str, name: str, login: str, show: Callable[[str], None]) -> str:
    """Make the image *stands_on* a node called *name* and return the new image's id.

    :param login: ``USER:CRYPTED PASSWORD`` and a line end.
    """
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="sahara-docker-image-"))
        context = stack.enter_context(recipe.context(Path(place, "context"), recipe.place() / "node"))
        recipe.write_secret(context / "secret" / "login", login)
        api = stack.enter_context(where.client(_BUILD_TIMEOUT))
        lines: list[str] = []
        answer = api.build(
            path=str(context), tag=name, buildargs={"BASE": stands_on}, forcerm=True, network_mode="none", decode=True
        )
        for part in answer:
            _follow(part, lines, show)
    return where.image(name)["Id"]


def _follow(part: dict[str, Any], lines: list[str], show: Callable[[str], None]) -> None:
    for line in part.get("stream", "").splitlines():
        if line.strip():
            show(line)
            lines.append(line)
    if "error" in part:
        raise exceptions.SaharaDockerError(
            "the image cannot be built", observed="\n".join([part["error"].strip(), *lines[-_STEPS_SHOWN:]]),
            remedy="the base has to have bash, sshd, sudo and the usual commands of a distribution",
        )  # fmt: skip


@contextlib.contextmanager
def _step(text: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    began = time.monotonic()
    print(f"{text} ...", flush=True)
    yield
    print(f"{text}: {time.monotonic() - began:.1f} s", flush=True)


def _verbose(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


def _quiet(line: str) -> None:
    """Say nothing; what matters of a failure is in its error."""

# SPDX-License-Identifier: Apache-2.0
"""What node images are made from: the directory ``images/``, and the contexts that Docker's builder gets of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Iterator

from sahara_docker import exceptions

_CHECKOUT = Path(__file__).resolve().parents[3]


def place() -> Path:
    """The directory with a recipe for each stage of an image: ``node``, ``cdh`` and the lab's.

    :raises SaharaDockerError: the package was installed without it.
    """
    installed = Path(sysconfig.get_path("data"), "share", "sahara-docker", "images")
    for found in (_CHECKOUT / "images", installed):
        if (found / "node" / "Dockerfile").exists():
            return found
    raise exceptions.SaharaDockerError(
        "the recipes of images are not there", where=str(installed), remedy="install sahara-docker anew"
    )


@contextlib.contextmanager
def context(directory: Path, stage: Path) -> Iterator[Path]:
    """A directory for Docker's builder that starts as a copy of *stage* and goes at the end: it may hold a secret."""
    shutil.rmtree(directory, ignore_errors=True)
    lay(stage, directory)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def lay(source: Path, target: Path) -> None:
    """Lay the file or directory *source* over *target*, with modes and times."""
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def write_secret(path: Path, text: str) -> None:
    """Write *text* to a new file that only its owner can read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)


def crypted(password: str, salt: str) -> str:
    """SHA-512 crypt of *password*, which a Linux login takes (crypt(5), ``$6$``).

    :param salt: up to 16 letters, digits, dots and slashes.
    :raises SaharaDockerError: the password cannot be one, or openssl is missing.
    """
    if not password or not password.isprintable():
        raise exceptions.SaharaDockerError(
            "this cannot be the password of a login", observed="empty, or with control characters in it"
        )
    try:
        done = subprocess.run(
            ["openssl", "passwd", "-6", "-salt", salt, "-stdin"],
            input=password, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    except OSError as error:
        raise exceptions.SaharaDockerError(
            "the password cannot be hashed", observed=str(error), remedy="install the package openssl"
        ) from error
    if done.returncode or not done.stdout.startswith("$6$"):
        raise exceptions.SaharaDockerError("the password cannot be hashed", observed=done.stderr.strip())
    return done.stdout.strip()

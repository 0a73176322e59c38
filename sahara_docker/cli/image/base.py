# SPDX-License-Identifier: Apache-2.0
"""What a node image stands on: an image, an archive of one, the tar of a root file system, or one made of packages."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from sahara_docker import exceptions
from sahara_docker.cli import daemon

BOOTSTRAP = "debootstrap:"
#: Of root file systems that became images here; removing one has it made anew.
REPOSITORY = "sahara-docker/base"
_BOOTSTRAP_TIMEOUT = 1800


def fetch(where: daemon.Daemon, base: str) -> str:
    """Bring a base into the daemon, unless it is there from an earlier time, and return its id.

    :param base: a path to a file, ``debootstrap:SUITE[,MIRROR]``, or the name of an image, which the daemon pulls from
        its registry when it does not have it.
    :raises SaharaDockerError: it cannot be had.
    """
    if base.startswith(BOOTSTRAP):
        return _bootstrapped(where, base[len(BOOTSTRAP) :])
    if os.path.exists(base):
        return _of_file(where, Path(base))
    if base.startswith((".", "/")):
        raise exceptions.SaharaDockerError("there is no such file", where=base, remedy="give a tar, or an image's name")
    try:
        return where.image(base)["Id"]
    except daemon.DaemonError:
        return _pulled(where, base)


def _pulled(where: daemon.Daemon, name: str) -> str:
    with where.client(daemon.IMAGE_TIMEOUT) as api:
        import docker.errors
        import docker.utils

        repository, tag = docker.utils.parse_repository_tag(name)
        try:
            for line in api.pull(repository, tag=tag or "latest", stream=True, decode=True):
                if "error" in line:
                    raise _no_base(name, line["error"])
        except docker.errors.APIError as error:
            raise _no_base(name, error.explanation or str(error)) from error
    return where.image(name)["Id"]


def _no_base(name: str, observed: str) -> exceptions.SaharaDockerError:
    return exceptions.SaharaDockerError(
        "the base is neither in the daemon nor in its registry", where=name, observed=observed.strip(),
        remedy="give an image that is, a tar of a root file system, or debootstrap:SUITE[,MIRROR]",
    )  # fmt: skip


def _of_file(where: daemon.Daemon, path: Path) -> str:
    try:
        with tarfile.open(path) as archive:
            first = archive.next()
            saved = _is_saved(archive) if first else False
    except (OSError, tarfile.TarError) as error:
        raise exceptions.SaharaDockerError(
            "this is no tar", where=str(path), observed=str(error),
            remedy="give what docker save or docker export wrote, or the tar of a root file system",
        ) from error  # fmt: skip
    if first is None:
        raise exceptions.SaharaDockerError("this tar is empty", where=str(path))
    with where.client(daemon.IMAGE_TIMEOUT) as api, path.open("rb") as stream:
        if saved:
            return _loaded(api, stream, path)
        facts = path.stat()
        return _imported(where, api, stream, _tag(path.resolve(), facts.st_size, facts.st_mtime_ns))


def _is_saved(archive: tarfile.TarFile) -> bool:
    """Whether it is what ``docker save`` writes, whose few members are read to the end, or a root file system."""
    for member in archive:
        if member.name in ("manifest.json", "index.json"):
            return True
        if member.name.lstrip("./").startswith(("etc/", "usr/", "bin")):
            return False
    return False


def _loaded(api: Any, stream: Any, path: Path) -> str:
    before = {image["Id"] for image in api.images(all=True)}
    texts = [line.get("stream", "") for line in api.load_image(stream)]
    for text in texts:
        for intro in ("Loaded image ID: ", "Loaded image: "):
            if text.startswith(intro):
                return api.inspect_image(text[len(intro) :].strip())["Id"]
    new = {image["Id"] for image in api.images(all=True)} - before
    if len(new) == 1:
        return new.pop()
    raise exceptions.SaharaDockerError(
        "the daemon did not say which image it loaded", where=str(path), observed="".join(texts)
    )


def _tag(*facts: object) -> str:
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]


def _imported(where: daemon.Daemon, api: Any, stream: Any, tag: str) -> str:
    # By a name of its own: the same root file system imported twice would be two images with nothing in common.
    name = f"{REPOSITORY}:{tag}"
    if name not in where.images():
        api.import_image(src=stream, repository=REPOSITORY, tag=tag)
    return where.image(name)["Id"]


def _bootstrapped(where: daemon.Daemon, text: str) -> str:
    suite, _, mirror = text.partition(",")
    if not suite:
        raise exceptions.SaharaDockerError("no suite", where=BOOTSTRAP, remedy="debootstrap:xenial,MIRROR for example")
    name = f"{REPOSITORY}:{_tag(suite, mirror)}"
    if name in where.images():
        return where.image(name)["Id"]
    if not shutil.which("mmdebstrap"):
        raise exceptions.SaharaDockerError(
            "a base cannot be made from packages here",
            observed="no mmdebstrap",
            remedy="install the package mmdebstrap",
        )
    with tempfile.TemporaryDirectory(prefix="sahara-docker-base-") as directory:
        root = Path(directory, "root.tar")
        Path(directory).chmod(0o755)
        words = ["mmdebstrap", "--variant=minbase", "--format=tar", suite, str(root), *([mirror] if mirror else [])]
        environment = {**os.environ, "TMPDIR": directory, "DEBIAN_FRONTEND": "noninteractive"}
        try:
            subprocess.run(
                words, check=True, capture_output=True, text=True, timeout=_BOOTSTRAP_TIMEOUT, env=environment
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise exceptions.SaharaDockerError(
                "the base cannot be made from packages", where=text, observed=_last_lines(error.stderr) or str(error),
                remedy="name a suite that the mirror has, and a proxy where one is needed (http_proxy)",
            ) from error  # fmt: skip
        with where.client(daemon.IMAGE_TIMEOUT) as api, root.open("rb") as stream:
            return _imported(where, api, stream, _tag(suite, mirror))


def _last_lines(output: Any) -> str:
    text = output.decode(errors="replace") if isinstance(output, bytes) else output or ""
    return "\n".join(text.strip().splitlines()[-5:])

# SPDX-License-Identifier: Apache-2.0
"""Cloudera's packages on a base: installed in a container that becomes an image.

Not by a Dockerfile, whose every step stays in the image: packages of gigabytes, and repositories with a password.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import tarfile
import uuid
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator

from sahara_docker import exceptions
from sahara_docker.cli import daemon
from sahara_docker.cli.image import recipe

REPOSITORY = "sahara-docker/cdh"
#: Variables of the caller that package managers reach their repositories by.
PROXY = ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_INPUTS = "/tmp/image-build"  # noqa: S108 - in a container of our own
_NOT_TO_BE_HAD = 3
_INSTALL_TIMEOUT = 7200
_LINES_SHOWN = 40
_CHUNK = 1 << 20


@dataclasses.dataclass(frozen=True)
class Software:
    """What goes onto a base.

    :param names: packages; with none nothing is installed.
    :param repositories: files for apt or yum, or lines of a ``sources.list``.
    :param keys: files with signing keys.
    :param packages: directory with packages, or None.
    :param overlay: directory that is laid over the root file system afterwards, or None.
    """

    names: tuple[str, ...]
    repositories: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    packages: str | None = None
    overlay: str | None = None


def names(without: list[str], more: list[str]) -> tuple[str, ...]:
    """The packages of a node, less and more some.

    :raises SaharaDockerError: one to be left out is none of them.
    """
    lines = (recipe.place() / "cdh" / "packages").read_text().splitlines()
    usual = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    unknown = [name for name in without if name not in usual]
    if unknown:
        raise exceptions.SaharaDockerError(
            "these are no packages that would be installed", observed=", ".join(unknown), remedy=", ".join(usual)
        )
    return tuple(dict.fromkeys([*(name for name in usual if name not in without), *more]))


def inputs(software: Software) -> bytes:
    """The tar that a container gets: the script and what it works on, the same for the same *software*.

    :raises SaharaDockerError: a file cannot be read or is of no kind that a package manager takes.
    """
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        _add(archive, "install-cdh", (recipe.place() / "cdh" / "install-cdh").read_bytes(), 0o755)
        _add(archive, "names", "".join(f"{name}\n" for name in software.names).encode())
        for number, repository in enumerate(software.repositories, 1):
            suffix, content = _repository(repository)
            _add(archive, f"repositories/{number}{suffix}", content)
        for number, key in enumerate(software.keys, 1):
            _add(archive, f"keys/{number}{_key_suffix(key)}", _read(key))
    return target.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    member = tarfile.TarInfo(f"{_INPUTS[1:]}/{name}")
    member.size, member.mode = len(content), mode
    archive.addfile(member, io.BytesIO(content))


def _repository(text: str) -> tuple[str, bytes]:
    if text.startswith(("deb ", "deb\t")):
        return ".list", f"{text}\n".encode()
    if not text.endswith((".list", ".repo")):
        raise exceptions.SaharaDockerError(
            "this is no repository of packages", where=text,
            remedy="give a file *.list for apt or *.repo for yum, or a line that starts with deb",
        )  # fmt: skip
    return Path(text).suffix, _read(text)


def _key_suffix(path: str) -> str:
    # apt tells the two forms of a key by the name.
    return ".asc" if _read(path).startswith(b"-----BEGIN") else ".gpg"


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise exceptions.SaharaDockerError(
            "the file cannot be read", where=path, observed=error.strerror or str(error)
        ) from error


def _files(directory: str, suffixes: tuple[str, ...] = ("",)) -> list[Path]:
    there = (path for path in Path(directory).rglob("*") if path.is_symlink() or not path.is_dir())
    found = sorted(path for path in there if path.name.endswith(suffixes))
    if not found:
        raise exceptions.SaharaDockerError(
            "nothing to install is there", where=directory, observed=f"no file {' or '.join('*' + s for s in suffixes)}"
        )
    return found


def tag(base: str, software: Software) -> str:
    """Name of the image with *software* on the image *base*, the same as long as nothing of it changes."""
    digest = hashlib.sha256(base.encode() + inputs(software))
    for directory in filter(None, (software.packages, software.overlay)):
        for path in _files(directory):
            facts = path.lstat()
            digest.update(f"{path} {facts.st_size} {facts.st_mtime_ns} {facts.st_mode}\n".encode())
    return f"{REPOSITORY}:{digest.hexdigest()[:12]}"


def install(where: daemon.Daemon, base: str, software: Software, network: str, show: Callable[[str], None]) -> str:
    """Install *software* on the image *base* and return the new image's name; nothing is done when it is there.

    :param network: Docker network by which packages are fetched, such as ``bridge`` or ``host``.
    :param show: takes the package manager's output line by line.
    :raises SaharaDockerError: with the package manager's last lines, or the packages that it does not know.
    """
    name = tag(base, software)
    if name in where.images():
        return name
    with where.client(_INSTALL_TIMEOUT) as api:
        container = api.create_container(
            base,
            ["sleep", str(_INSTALL_TIMEOUT)],
            name=f"sahara-docker-build-{uuid.uuid4().hex[:8]}",
            entrypoint=[],
            host_config=api.create_host_config(network_mode=network),
        )["Id"]
        try:
            api.start(container)
            api.put_archive(container, "/", inputs(software))
            if software.packages:
                packages = _files(software.packages, (".deb", ".rpm"))
                api.put_archive(
                    container, "/", _tar((path, f"{_INPUTS[1:]}/packages/{path.name}") for path in packages)
                )
            if software.names:
                _run(api, container, ["sh", f"{_INPUTS}/install-cdh", _INPUTS], show)
            _run(api, container, ["rm", "-rf", _INPUTS], show)
            if software.overlay:
                files = _files(software.overlay)
                api.put_archive(container, "/", _tar((path, str(path.relative_to(software.overlay))) for path in files))
            # What the container was given for the installation is nothing for a node.
            repository, _, version = name.partition(":")
            api.commit(container, repository, version, changes="CMD []")
        finally:
            api.remove_container(container, force=True, v=True)
    return name


def _tar(files: Iterable[tuple[Path, str]]) -> Iterator[bytes]:
    """A tar, piece by piece, of files under other names; they belong to root in it."""
    with tarfile.open(fileobj=io.BytesIO(), mode="w") as scratch:
        for path, target in files:
            member = scratch.gettarinfo(path, target)
            member.uid = member.gid = 0
            member.uname = member.gname = "root"
            yield member.tobuf(tarfile.GNU_FORMAT)
            if member.isfile():
                with path.open("rb") as content:
                    yield from iter(lambda: content.read(_CHUNK), b"")
                yield bytes(-member.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _run(api: Any, container: str, words: list[str], show: Callable[[str], None]) -> None:
    """Run a command in the container; the variables are the command's own, so that no image keeps them."""
    proxy = {name: os.environ[name] for name in PROXY if os.environ.get(name)}
    execution = api.exec_create(container, words, user="0", environment=proxy)["Id"]
    rest = b""
    lines: list[str] = []
    for chunk in api.exec_start(execution, stream=True):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            text = line.decode(errors="replace").rstrip()
            lines = [*lines, text][-_LINES_SHOWN:]
            show(text)
    code = api.exec_inspect(execution)["ExitCode"]
    if code == _NOT_TO_BE_HAD:
        raise exceptions.SaharaDockerError(
            "packages are neither in the repositories nor among the files", observed=lines[-1].strip() if lines else "",
            remedy="add --repository or --packages, or leave them out by --without NAME",
        )  # fmt: skip
    if code:
        raise exceptions.SaharaDockerError(
            "the packages cannot be installed", where=words[0], observed="\n".join([f"exit status {code}", *lines])
        )

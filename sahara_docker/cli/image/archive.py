# SPDX-License-Identifier: Apache-2.0
"""A Docker image as ``docker save`` writes it: which image it is, and its bytes."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import tarfile
from pathlib import Path
from typing import Any, Callable, ContextManager, Iterator

from sahara_docker import exceptions
from sahara_docker.cli import daemon

_CHUNK = 1 << 20
_MOST_MANIFEST_BYTES = 4 << 20


@dataclasses.dataclass(frozen=True)
class Archive:
    """One image.

    :param name: what the user called it.
    :param docker_id: ``sha256:...`` of its configuration, the same wherever it is loaded.
    :param size: bytes of the archive; of an image in a daemon about that.
    :param open: a context manager that iterates over the archive in chunks.
    """

    name: str
    docker_id: str
    size: int
    open: Callable[[], ContextManager[Iterator[bytes]]]


def find(source: str, where: daemon.Daemon) -> Archive:
    """Return the image that *source* means: an archive of that path when there is one, else an image of the daemon.

    :raises SaharaDockerError: it is neither.
    """
    return _of_file(Path(source)) if Path(source).is_file() else _of_daemon(source, where)


def _of_file(path: Path) -> Archive:
    @contextlib.contextmanager
    def chunks() -> Iterator[Iterator[bytes]]:
        with path.open("rb") as stream:
            yield iter(lambda: stream.read(_CHUNK), b"")

    return Archive(str(path), _id_in(path), path.stat().st_size, chunks)


def _id_in(path: Path) -> str:
    """Read the image's id from ``manifest.json`` (Docker's image specification v1.2, which newer daemons write too)."""
    try:
        with tarfile.open(path) as archive:
            member = archive.extractfile("manifest.json")
            entries: list[dict[str, Any]] = json.loads(member.read(_MOST_MANIFEST_BYTES)) if member else []
        if len(entries) != 1:
            raise ValueError(f"it holds {len(entries)} images: save one at a time")
        digest = Path(entries[0]["Config"]).name.partition(".")[0]
        if len(digest) != 64:
            raise ValueError(f"its configuration is called {entries[0]['Config']}")
        return f"sha256:{digest}"
    except (OSError, tarfile.TarError, KeyError, TypeError, ValueError) as error:
        raise exceptions.SaharaDockerError(
            "this is not an image that docker save wrote", where=str(path), observed=str(error),
            remedy="docker save IMAGE > FILE",
        ) from error  # fmt: skip


def _of_daemon(name: str, where: daemon.Daemon) -> Archive:
    found = where.image(name)

    @contextlib.contextmanager
    def chunks() -> Iterator[Iterator[bytes]]:
        with where.client(daemon.IMAGE_TIMEOUT) as api:
            yield api.get_image(name, chunk_size=_CHUNK)

    return Archive(name, found["Id"], found["Size"], chunks)

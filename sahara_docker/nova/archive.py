# SPDX-License-Identifier: Apache-2.0
"""The filter that a tenant's ``docker save`` archive passes on its way into the host's Docker daemon.

``docker load`` believes an archive: it sets every tag that the archive names, also one that another tenant's image
has on this host. The filter lets exactly one image through, under the host's own name for it; so there is no moment in
which the image is loaded and nobody knows whose it is. It works on the stream and stores nothing.

Formats: ``manifest.json`` of Docker's image specification v1.2, and ``index.json`` of the OCI image layout, which
newer daemons write beside it and read first.
"""

from __future__ import annotations

import io
import json
import posixpath
import tarfile
from typing import IO, Any, Callable, Iterator

_BLOCK = 1 << 20
_MOST_MANIFEST_BYTES = 4 << 20
# Annotations by which containerd and the OCI image layout name an image.
_FULL_NAME, _TAG = "io.containerd.image.name", "org.opencontainers.image.ref.name"


class BadArchive(ValueError):
    """The archive is broken, or not one image that ``docker save`` made."""


def filtered(source: IO[bytes], reference: str) -> Iterator[bytes]:
    """Yield the archive with *reference* as its image's only name.

    The blocks are never empty: an empty one would end the upload. An error comes before the last block, so the daemon
    sees a broken upload and loads nothing.

    :param source: a tar file, plain or compressed.
    :raises BadArchive: it is not one with exactly one image.
    """
    try:
        with tarfile.open(fileobj=source, mode="r|*", bufsize=_BLOCK) as archive:
            yield from _members(archive, reference)
    except BadArchive:
        raise
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise BadArchive(f"it is not an archive of docker save: {error}") from error
    yield bytes(2 * tarfile.BLOCKSIZE)


def _members(archive: tarfile.TarFile, reference: str) -> Iterator[bytes]:
    rewrite: dict[str, Callable[[Any, str], Any]] = {"manifest.json": _named_manifest, "index.json": _named_index}
    seen: set[str] = set()
    links: set[str] = set()
    for member in archive:
        name = _checked_name(member, seen, links)
        if name == "repositories":
            continue  # names again, in the oldest format
        if name in rewrite:
            if not member.isreg() or member.size > _MOST_MANIFEST_BYTES:
                raise BadArchive(f"{name} is not a small regular file")
            content = json.dumps(rewrite[name](json.loads(_content(archive, member).read()), reference)).encode()
            member.size = len(content)
            yield from _record(member, io.BytesIO(content))
        else:
            yield from _record(member, _content(archive, member) if member.isreg() else io.BytesIO())
    if "manifest.json" not in seen:
        raise BadArchive("it has no manifest.json: it is not an archive that docker save made")


def _checked_name(member: tarfile.TarInfo, seen: set[str], links: set[str]) -> str:
    """Return the member's plain name; refuse what could put another file in the place of one that was filtered."""
    name = posixpath.normpath(member.name)
    parents = [name[:end] for end, letter in enumerate(name) if letter == "/"]
    if posixpath.isabs(name) or name.split("/")[0] == ".." or links.intersection(parents):
        raise BadArchive(f'"{member.name}" leaves the archive')
    if name in seen and not member.isdir():
        raise BadArchive(f'"{member.name}" is there twice')
    if member.issym() and posixpath.basename(name) == "layer.tar":  # docker save writes those for equal layers
        links.add(name)
    elif not (member.isreg() or member.isdir()):
        raise BadArchive(f'"{member.name}" is neither a file nor a directory')
    seen.add(name)
    return name


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> io.BufferedIOBase:
    content = archive.extractfile(member)
    assert content is not None, "a regular file has content"
    return content  # type: ignore[return-value]


def _record(member: tarfile.TarInfo, content: Any) -> Iterator[bytes]:
    yield member.tobuf(tarfile.PAX_FORMAT)
    written = 0
    while block := content.read(_BLOCK):
        written += len(block)
        yield block
    if written != (member.size if member.isreg() else 0):
        raise BadArchive(f'"{member.name}" is cut short')
    if written % tarfile.BLOCKSIZE:
        yield bytes(-written % tarfile.BLOCKSIZE)


def _named_manifest(manifest: Any, reference: str) -> Any:
    if not (isinstance(manifest, list) and len(manifest) == 1 and isinstance(manifest[0], dict)):
        raise BadArchive("manifest.json does not describe exactly one image")
    return [{**manifest[0], "RepoTags": [reference]}]


def _named_index(index: Any, reference: str) -> Any:
    try:
        (descriptor,) = index["manifests"]
        annotations = descriptor.get("annotations") or {}
        named = {**annotations, _FULL_NAME: f"docker.io/{reference}", _TAG: reference.rpartition(":")[2]}
        return {**index, "manifests": [{**descriptor, "annotations": named}]}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadArchive("index.json does not describe exactly one image") from error

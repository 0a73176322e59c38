# SPDX-License-Identifier: Apache-2.0
"""The filter that a tenant's image archive passes on its way into the host's Docker daemon.

``docker load`` believes an archive: it sets every tag that the archive names, also one that another tenant's image
has on this host. The filter lets exactly one image through, under the host's own name for it; so there is no moment in
which the image is loaded and nobody knows whose it is. It looks through the archive once for what it is, and then
works on the stream and stores nothing.

Formats: what ``docker save`` writes, with the ``manifest.json`` of Docker's image specification v1.2 and, from newer
daemons, which read that first, the ``index.json`` of an OCI image layout; and a layout alone, see :mod:`.oci`.
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import posixpath
import re
import tarfile
import zlib
from typing import IO, Any, Callable, Iterator

from sahara_docker.nova import oci

_BLOCK = 1 << 20
_MOST_MANIFEST_BYTES = 4 << 20
_MOST_DOCUMENT_BYTES = 64 << 20
_MANIFEST = "manifest.json"
_BLOB = re.compile(r"blobs/(sha256|sha512)/([0-9a-f]+)")
# (offset, bytes there, what it is) of files that are uploaded in the place of an archive.
_FOREIGN = (
    (0, b"QFI\xfb", "a qcow2 disk"),
    (0, b"KDMV", "a VMDK disk"),
    (0, b"vhdxfile", "a VHDX disk"),
    (0, b"(\xb5/\xfd", "compressed with zstd: use gzip"),
    (0x8001, b"CD001", "an ISO 9660 image"),
    (510, b"\x55\xaa", "a raw disk"),
)
# Annotations by which containerd and the OCI image layout name an image.
_FULL_NAME, _TAG = "io.containerd.image.name", "org.opencontainers.image.ref.name"


class BadArchive(ValueError):
    """The archive is broken, or not one image that this host can run."""


def filtered(source: IO[bytes], reference: str, architecture: str) -> Iterator[bytes]:
    """Yield the archive with *reference* as its image's only name.

    The blocks are never empty: an empty one would end the upload. An error comes before the last block, so the daemon
    sees a broken upload and loads nothing.

    :param source: a seekable tar file, plain or compressed.
    :param architecture: of the host, as Go calls it: chooses the image of an OCI layout that has one for each.
    :raises BadArchive: it is not one with exactly one image.
    """
    is_tar = False
    try:
        with tarfile.open(fileobj=source, mode="r:*") as archive:
            is_tar = True
            layout = _layout(archive, architecture)
        source.seek(0)
        with tarfile.open(fileobj=source, mode="r|*", bufsize=_BLOCK) as archive:
            yield from _members(archive, layout, reference)
    except (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError) as error:
        if foreign := _foreign(source):
            raise BadArchive(f"it is {foreign}, not an archive of docker save or an OCI layout") from error
        if isinstance(error, BadArchive):
            raise
        observed = error if is_tar else "it is no tar file, plain or compressed"
        raise BadArchive(f"it is not a whole archive of docker save or of an OCI layout: {observed}") from error
    if layout:
        yield from _document(_MANIFEST, layout.docker_manifest(reference))
    yield bytes(2 * tarfile.BLOCKSIZE)


def _foreign(source: IO[bytes]) -> str | None:
    """Return what kind of file *source* is, of those that are mistaken for an image archive."""
    for offset, magic, what in _FOREIGN:
        source.seek(offset)
        if source.read(len(magic)) == magic:
            return what
    return None


def _layout(archive: tarfile.TarFile, architecture: str) -> oci.Image | None:
    """Return the image of an OCI layout, or None for what ``docker save`` made."""
    names, documents, size = set(), {}, 0
    for member in archive:
        archive.members = []  # type: ignore[attr-defined]  # or it would keep them all
        name = posixpath.normpath(member.name)
        names.add(name)
        if member.isreg() and member.size <= _MOST_MANIFEST_BYTES and (name == oci.INDEX or _BLOB.fullmatch(name)):
            content = _content(archive, member).read()
            if content.lstrip()[:1] == b"{":
                documents[name], size = content, size + len(content)
        if size > _MOST_DOCUMENT_BYTES:
            raise BadArchive("it has more documents than any image")
    if _MANIFEST in names:
        return None
    if oci.INDEX not in names:
        raise BadArchive(
            "it has neither manifest.json nor index.json: make it with docker save, not docker export, or as an OCI "
            "archive"
        )
    try:
        return oci.find(documents, names, architecture)
    except oci.BadLayout as error:
        raise BadArchive(str(error)) from error


def _members(archive: tarfile.TarFile, layout: oci.Image | None, reference: str) -> Iterator[bytes]:
    rewrite: dict[str, Callable[[Any, str], Any]] = {_MANIFEST: _named_manifest, oci.INDEX: _named_index}
    parts = {oci.INDEX, "oci-layout", layout.manifest, layout.config, *layout.layers} if layout else set()
    seen: set[str] = set()
    links: set[str] = set()
    for member in archive:
        name = _checked_name(member, seen, links)
        if name == "repositories" or (layout and member.isreg() and name not in parts):
            continue  # names again, in the oldest format; an image for other hosts
        if name in rewrite:
            if not member.isreg() or member.size > _MOST_MANIFEST_BYTES:
                raise BadArchive(f"{name} is not a small regular file")
            content = layout.own_index() if layout else json.loads(_content(archive, member).read())
            yield from _document(name, rewrite[name](content, reference))
        else:
            yield from _record(member, _content(archive, member) if member.isreg() else io.BytesIO())


def _document(name: str, content: Any) -> Iterator[bytes]:
    data = json.dumps(content).encode()
    member = tarfile.TarInfo(name)
    member.size = len(data)
    yield from _record(member, io.BytesIO(data))


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
    written, blob = 0, _BLOB.fullmatch(posixpath.normpath(member.name)) if member.isreg() else None
    digest = hashlib.new(blob[1]) if blob else None
    while block := content.read(_BLOCK):
        written += len(block)
        if digest:
            digest.update(block)
        yield block
    if digest and blob and digest.hexdigest() != blob[2]:
        raise BadArchive(f'"{member.name}" is not what its digest says')
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

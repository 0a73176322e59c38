# SPDX-License-Identifier: Apache-2.0
"""The OCI image layout, as skopeo, podman and buildx write it: which of its images this host runs.

``docker load`` reads ``manifest.json``, which a layout does not have (Docker before 25 reads nothing else). It is made
here from the layout's own index, manifest and configuration.

Format: OCI Image Format Specification v1.1, "Image Layout", "Image Index" and "Image Manifest".
"""

from __future__ import annotations

import json
from typing import Any, Collection, Iterator, Mapping, NamedTuple

INDEX = "index.json"

_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_CONFIGS = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
_DEEPEST = 4
# Of an architecture's variants, the one that all its processors run.
_BASE_VARIANTS = ("", "v1", "v8")


class BadLayout(ValueError):
    """The layout is broken, or has not exactly one image for this host."""


class Image(NamedTuple):
    """One image of a layout: its manifest's *descriptor*, and the names of its files in the archive."""

    descriptor: dict[str, Any]
    manifest: str
    config: str
    layers: tuple[str, ...]

    def docker_manifest(self, reference: str) -> list[dict[str, Any]]:
        """Return the ``manifest.json`` for it, of Docker's image specification v1.2."""
        return [{"Config": self.config, "RepoTags": [reference], "Layers": list(self.layers)}]

    def own_index(self) -> dict[str, Any]:
        """Return the ``index.json`` of a layout that has only this image."""
        return {"schemaVersion": 2, "manifests": [self.descriptor]}


def find(documents: Mapping[str, bytes], names: Collection[str], architecture: str) -> Image:
    """Return the layout's one image for Linux on *architecture*.

    :param documents: name -> content of the archive's small files.
    :param names: of all its files.
    :param architecture: as Go calls it, such as ``amd64``.
    :raises BadLayout: there is none, or more than one, or a part of it is missing.
    """
    found = list(_manifests(documents, _document(documents, INDEX), 0))
    usable = [(platform, image) for platform, image in found if platform[:2] == ("linux", architecture)]
    if len(usable) > 1:
        usable = [(platform, image) for platform, image in usable if platform[2] in _BASE_VARIANTS]
    if not usable:
        others = ", ".join(sorted({"/".join(filter(None, platform)) for platform, _ in found})) or "nothing"
        raise BadLayout(f"it has no image for linux/{architecture}, only for {others}")
    if len(usable) > 1:
        raise BadLayout(f"it has {len(usable)} images for linux/{architecture}; an archive must have exactly one")
    image = usable[0][1]
    for name in (image.config, *image.layers):
        if name not in names:
            raise BadLayout(f'its file "{name}" is missing')
    return image


def _manifests(
    documents: Mapping[str, bytes], index: Mapping[str, Any], depth: int
) -> Iterator[tuple[tuple[str, str, str], Image]]:
    """Yield the platform (system, architecture, variant) and the image of each manifest below an index."""
    for descriptor in _list(index, "manifests"):
        name = _blob(descriptor)
        content = _document(documents, name)
        if descriptor.get("mediaType") in _INDEXES or "manifests" in content:
            if depth == _DEEPEST:
                raise BadLayout("its indexes are nested too deeply")
            yield from _manifests(documents, content, depth + 1)
            continue
        config = content.get("config")
        if not isinstance(config, dict) or config.get("mediaType") not in _CONFIGS:
            continue  # not an image: a chart, a signature, a buildx attestation of an older kind
        platform = descriptor.get("platform") or _document(documents, _blob(config))
        system, architecture, variant = (str(platform.get(key) or "") for key in ("os", "architecture", "variant"))
        if system != "unknown":  # how buildx marks its attestations
            layers = tuple(_layer(layer) for layer in _list(content, "layers"))
            yield (system, architecture, variant), Image(dict(descriptor), name, _blob(config), layers)


def _layer(descriptor: Mapping[str, Any]) -> str:
    media_type = str(descriptor.get("mediaType"))
    if media_type.endswith("+zstd"):  # Docker reads it from release 23 on
        raise BadLayout("its layers are compressed with zstd: compress them with gzip")
    if media_type.endswith("+encrypted"):
        raise BadLayout("its layers are encrypted")
    return _blob(descriptor)


def _blob(descriptor: Mapping[str, Any]) -> str:
    """Return the name of the file that a descriptor points to."""
    algorithm, _, digest = str(descriptor.get("digest")).partition(":")
    if algorithm not in ("sha256", "sha512") or not digest.isalnum():
        raise BadLayout(f"it has the digest {descriptor.get('digest')!r}")
    return f"blobs/{algorithm}/{digest}"


def _document(documents: Mapping[str, bytes], name: str) -> dict[str, Any]:
    if name not in documents:
        raise BadLayout(f'its file "{name}" is missing, or is no document')
    try:
        content = json.loads(documents[name])
    except ValueError as error:
        raise BadLayout(f'its file "{name}" is not JSON: {error}') from error
    if not isinstance(content, dict):
        raise BadLayout(f'its file "{name}" is not an object')
    return content


def _list(document: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    found = document.get(key)
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise BadLayout(f'it has a document without a list of "{key}"')
    return found

# SPDX-License-Identifier: Apache-2.0
"""OCI image layouts, made by hand as the specification has them."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any

from tests.unit.nova import test_archive

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


class Layout:
    """An image layout under construction: ``blobs`` is name -> content."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}

    def blob(self, content: Any, media_type: str, **more: Any) -> dict[str, Any]:
        """Add a file, or a document, and return its descriptor."""
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        digest = hashlib.sha256(data).hexdigest()
        self.blobs[f"blobs/sha256/{digest}"] = data
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data), **more}

    def image(
        self,
        *layers: bytes,
        compressed: bool = False,
        settings: dict[str, Any] | None = None,
        diff_ids: list[str] | None = None,
        config: str = CONFIG,
        layer: str = LAYER,
        **platform: str,
    ) -> dict[str, Any]:
        """Add an image of uncompressed layers and return its manifest's descriptor, with its platform.

        :param settings: how it runs.
        :param diff_ids: digests of the layers that its configuration has, where they are to be wrong.
        :param config: media type of the configuration.
        :param layer: media type of the uncompressed layers.
        :param platform: linux/amd64, unless it is given.
        """
        platform = {"os": "linux", "architecture": "amd64", **platform}
        diff_ids = diff_ids or [f"sha256:{hashlib.sha256(data).hexdigest()}" for data in layers]
        described = self.blob(
            {**platform, "config": settings or {}, "rootfs": {"type": "layers", "diff_ids": diff_ids}}, config
        )
        kind = f"{layer}+gzip" if compressed else layer
        stored = [self.blob(gzip.compress(data, mtime=0) if compressed else data, kind) for data in layers]
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": stored}
        return self.blob(manifest, MANIFEST, platform=platform)

    def index(self, *descriptors: dict[str, Any]) -> dict[str, Any]:
        """Add an index and return its descriptor."""
        return self.blob({"schemaVersion": 2, "mediaType": INDEX, "manifests": descriptors}, INDEX)

    def archive(self, *descriptors: dict[str, Any]) -> bytes:
        """Return the layout as a tar file, with an ``index.json`` of *descriptors*."""
        return test_archive.pack(
            *self.blobs.items(),
            ("index.json", {"schemaVersion": 2, "manifests": descriptors}),
            ("oci-layout", {"imageLayoutVersion": "1.0.0"}),
        )

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import tarfile
from typing import Any

import testtools
from testtools import matchers

from sahara_docker.nova import archive

CONFIG = "0" * 64 + ".json"
LAYER = "1" * 64 + "/layer.tar"
NAME = "nova/image:1"
NAMED = {
    "kept": "yes",
    "io.containerd.image.name": "docker.io/nova/image:1",
    "org.opencontainers.image.ref.name": "1",
}
MANIFEST: list[dict[str, Any]] = [{"Config": CONFIG, "RepoTags": ["debian:12"], "Layers": [LAYER]}]
INDEX: dict[str, Any] = {
    "schemaVersion": 2,
    "manifests": [{"digest": "sha256:0", "annotations": {"io.containerd.image.name": "debian:12", "kept": "yes"}}],
}


def member(name: str, kind: bytes = tarfile.REGTYPE, linkname: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, linkname
    return info


def pack(*members: tuple[Any, Any]) -> bytes:
    """Return a tar file of (name or TarInfo, bytes or JSON value) pairs."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for info, content in members:
            info = info if isinstance(info, tarfile.TarInfo) else member(info)
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            info.size = len(data) if info.isreg() else 0
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {info.name: tar.extractfile(info).read() if info.isreg() else b"" for info in tar}  # type: ignore[union-attr]


class FilteredTest(testtools.TestCase):
    def filtered(self, *members: tuple[Any, Any]) -> dict[str, bytes]:
        return unpack(b"".join(archive.filtered(io.BytesIO(pack(*members)), NAME, "amd64")))

    def refused(self, *members: tuple[Any, Any]) -> str:
        return str(self.assertRaises(archive.BadArchive, self.filtered, *members))

    def test_content_passes_and_names_do_not(self) -> None:
        layer = bytes(range(256)) * 5000
        passed = self.filtered(
            (member("1" * 64, tarfile.DIRTYPE), b""),
            (LAYER, layer),
            (CONFIG, {"os": "linux"}),
            ("manifest.json", MANIFEST),
            ("index.json", INDEX),
            ("repositories", {"debian": {"12": "1" * 64}}),
        )
        self.assertEqual({"1" * 64, LAYER, CONFIG, "manifest.json", "index.json"}, set(passed))
        self.assertEqual(layer, passed[LAYER])
        self.assertEqual([{**MANIFEST[0], "RepoTags": [NAME]}], json.loads(passed["manifest.json"]))
        self.assertEqual(NAMED, json.loads(passed["index.json"])["manifests"][0]["annotations"])

    def test_compressed_archive_passes(self) -> None:
        data = gzip.compress(pack(("manifest.json", MANIFEST)))
        self.assertIn("manifest.json", unpack(b"".join(archive.filtered(io.BytesIO(data), NAME, "amd64"))))

    def test_no_block_is_empty(self) -> None:
        """An empty block is the end of a chunked upload."""
        data = pack((LAYER, b""), (CONFIG, bytes(512)), ("manifest.json", MANIFEST))
        self.assertTrue(all(archive.filtered(io.BytesIO(data), NAME, "amd64")))

    def test_link_of_equal_layers_passes(self) -> None:
        link = member("2" * 64 + "/layer.tar", tarfile.SYMTYPE, f"../{LAYER}")
        self.assertIn(link.name, self.filtered((LAYER, b"x"), (link, b""), ("manifest.json", MANIFEST)))

    def test_names_behind_another_spelling_are_refused_or_filtered(self) -> None:
        passed = self.filtered(("./manifest.json", MANIFEST))
        self.assertEqual([{**MANIFEST[0], "RepoTags": [NAME]}], json.loads(passed["manifest.json"]))
        self.assertNotIn("./repositories", self.filtered(("./repositories", {}), ("manifest.json", MANIFEST)))
        self.assertIn("twice", self.refused(("manifest.json", MANIFEST), ("x/../manifest.json", MANIFEST)))

    def test_second_manifest_through_a_link_is_refused(self) -> None:
        link = member("x/layer.tar", tarfile.SYMTYPE, "..")
        hidden = ("x/layer.tar/manifest.json", MANIFEST)
        self.assertIn("leaves", self.refused((link, b""), ("manifest.json", MANIFEST), hidden))

    def test_manifest_that_is_a_link_is_refused(self) -> None:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            link = member("manifest.json", kind, "x")
            self.assertIn("neither a file nor a directory", self.refused(("x", MANIFEST), (link, b"")))

    def test_paths_out_of_the_archive_are_refused(self) -> None:
        for name in ("/etc/passwd", "../x", "a/../../x"):
            self.assertIn("leaves the archive", self.refused((name, b"x"), ("manifest.json", MANIFEST)))

    def test_devices_are_refused(self) -> None:
        device = member("sda", tarfile.BLKTYPE)
        self.assertIn("neither a file", self.refused((device, b""), ("manifest.json", MANIFEST)))

    def test_exactly_one_image(self) -> None:
        self.assertIn("exactly one", self.refused(("manifest.json", MANIFEST * 2)))
        self.assertIn("exactly one", self.refused(("manifest.json", [])))
        self.assertIn("exactly one", self.refused(("manifest.json", {"RepoTags": []})))
        two = {"manifests": INDEX["manifests"] * 2}
        self.assertIn("exactly one", self.refused(("manifest.json", MANIFEST), ("index.json", two)))

    def test_archive_of_something_else_is_refused(self) -> None:
        self.assertIn("neither manifest.json nor index.json", self.refused(("bin/sh", b"x")))
        for data in (b"", b"qcow2" * 1000, b"\0" * 10240):
            self.assertRaises(archive.BadArchive, list, archive.filtered(io.BytesIO(data), NAME, "amd64"))

    def test_file_of_another_kind_is_named(self) -> None:
        for data, what in (
            (b"QFI\xfb" + bytes(5000), "qcow2"),
            (bytes(0x8001) + b"CD001" + bytes(5000), "ISO 9660"),
            (bytes(510) + b"\x55\xaa" + bytes(5000), "raw disk"),
            (b"(\xb5/\xfd" + bytes(5000), "zstd"),
        ):
            content = archive.filtered(io.BytesIO(data), NAME, "amd64")
            self.assertIn(what, str(self.assertRaises(archive.BadArchive, list, content)))

    def test_file_of_no_known_kind_is_no_tar_file(self) -> None:
        for data in (b"", b"no archive", os.urandom(5000)):
            content = archive.filtered(io.BytesIO(data), NAME, "amd64")
            message = str(self.assertRaises(archive.BadArchive, list, content))
            self.assertThat(message, matchers.EndsWith("it is no tar file, plain or compressed"))

    def test_truncated_archive_is_refused(self) -> None:
        data = pack(("manifest.json", MANIFEST), (LAYER, os.urandom(100_000)))
        for compressed in (lambda x: x, gzip.compress, lzma.compress, bz2.compress):
            broken = compressed(data)
            for length in (len(broken) // 2, 5, 30):
                content = archive.filtered(io.BytesIO(broken[:length]), NAME, "amd64")
                self.assertRaises(archive.BadArchive, list, content)
            content = archive.filtered(io.BytesIO(broken[: len(broken) // 2]), NAME, "amd64")
            self.assertIn("not a whole archive", str(self.assertRaises(archive.BadArchive, list, content)))

    def test_manifest_without_json_or_end_is_refused(self) -> None:
        self.assertIn("not a whole archive", self.refused(("manifest.json", b"{")))
        self.assertIn("small", self.refused(("manifest.json", bytes(5 << 20))))

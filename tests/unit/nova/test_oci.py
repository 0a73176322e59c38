# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import json
from typing import Any

import testtools

from sahara_docker.nova import archive
from tests.unit.nova import oci_layouts, test_archive

NAME = test_archive.NAME


class LayoutTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.layout = oci_layouts.Layout()

    def passed(self, *descriptors: dict[str, Any]) -> dict[str, bytes]:
        data = self.layout.archive(*descriptors)
        return test_archive.unpack(b"".join(archive.filtered(io.BytesIO(data), NAME, "amd64")))

    def refused(self, *descriptors: dict[str, Any]) -> str:
        return str(self.assertRaises(archive.BadArchive, self.passed, *descriptors))

    def content(self, files: dict[str, bytes]) -> tuple[bytes, ...]:
        """Return the layers to which manifest.json leads."""
        (manifest,) = json.loads(files["manifest.json"])
        self.assertEqual([NAME], manifest["RepoTags"])
        self.assertIn("rootfs", json.loads(files[manifest["Config"]]))
        return tuple(files[name] for name in manifest["Layers"])

    def test_layout_gets_the_manifest_and_the_name_of_docker(self) -> None:
        image = self.layout.image(b"one", b"two")
        tagged = {**image, "annotations": {"org.opencontainers.image.ref.name": "debian:12"}}
        for descriptor in (image, tagged):
            files = self.passed(descriptor)
            self.assertEqual((b"one", b"two"), self.content(files))
            (named,) = json.loads(files["index.json"])["manifests"]
            self.assertEqual(f"docker.io/{NAME}", named["annotations"]["io.containerd.image.name"])
            self.assertNotIn("debian", json.dumps(named))

    def test_this_host_s_image_of_several_is_chosen_and_the_others_stay_out(self) -> None:
        theirs = self.layout.image(b"theirs", architecture="arm64", variant="v8")
        ours, newer = self.layout.image(b"ours"), self.layout.image(b"newer", variant="v3")
        attestation = self.layout.image(b"{}", architecture="unknown", os="unknown")
        nested = self.layout.index(theirs, newer, ours, attestation)
        for descriptors in ((theirs, newer, ours, attestation), (nested,)):
            files = self.passed(*descriptors)
            self.assertEqual((b"ours",), self.content(files))
            self.assertNotIn(b"theirs", files.values())
            (named,) = json.loads(files["index.json"])["manifests"]
            self.assertEqual(ours["digest"], named["digest"])

    def test_platform_stands_in_the_configuration_where_the_index_has_none(self) -> None:
        ours, theirs = self.layout.image(b"ours"), self.layout.image(b"theirs", architecture="arm64")
        for image in (ours, theirs):
            del image["platform"]
        self.assertEqual((b"ours",), self.content(self.passed(theirs, ours)))

    def test_image_for_other_hosts_only_names_them(self) -> None:
        images = self.layout.image(b"1", architecture="arm64"), self.layout.image(b"2", os="windows")
        self.assertIn("no image for linux/amd64, only for linux/arm64, windows/amd64", self.refused(*images))
        self.assertIn("only for nothing", self.refused())

    def test_several_images_for_this_host_are_refused(self) -> None:
        self.assertIn("2 images for linux/amd64", self.refused(self.layout.image(b"1"), self.layout.image(b"2")))

    def test_artifact_that_is_no_image_is_passed_over(self) -> None:
        chart = self.layout.image(b"chart", config="application/vnd.cncf.helm.config.v1+json")
        self.assertIn("no image", self.refused(chart))
        self.assertEqual((b"ours",), self.content(self.passed(chart, self.layout.image(b"ours"))))

    def test_missing_and_broken_files_are_named(self) -> None:
        image = self.layout.image(b"layer", b"other")
        whole = dict(self.layout.blobs)
        for name, content in whole.items():
            self.layout.blobs = {other: data for other, data in whole.items() if other != name}
            self.assertIn(f'"{name}" is missing', self.refused(image))
            self.layout.blobs[name] = content + b" "
            self.assertIn(f'"{name}" is not what its digest says', self.refused(image))

    def test_layers_that_docker_cannot_read_are_named(self) -> None:
        zstd = self.layout.image(b"z", layer=f"{oci_layouts.LAYER}+zstd")
        self.assertIn("zstd", self.refused(zstd))
        self.assertIn("encrypted", self.refused(self.layout.image(b"e", layer=f"{oci_layouts.LAYER}+encrypted")))

    def test_documents_that_are_none_are_refused(self) -> None:
        for digest in ("md5:0", "sha256:../../etc/passwd", None):
            self.assertIn("digest", self.refused({"digest": digest}))
        self.assertIn("list", self.refused(self.layout.blob({"config": {"mediaType": 1}, "manifests": 5}, "x")))
        index = self.layout.image(b"deep")
        for _ in range(6):
            index = self.layout.index(index)
        self.assertIn("too deeply", self.refused(index))
        for broken in (b"{", b"[]", b'"'):
            data = test_archive.pack(("index.json", broken))
            content = archive.filtered(io.BytesIO(data), NAME, "amd64")
            self.assertIn("index.json", str(self.assertRaises(archive.BadArchive, list, content)))

    def test_blob_of_docker_save_is_checked_too(self) -> None:
        image = self.layout.image(b"layer")
        files = self.passed(image)
        for broken, expected in ((False, None), (True, "digest")):
            name = json.loads(files["manifest.json"])[0]["Layers"][0]
            changed = {**files, name: b"other"} if broken else files
            content = archive.filtered(io.BytesIO(test_archive.pack(*changed.items())), NAME, "amd64")
            if expected:
                self.assertIn(expected, str(self.assertRaises(archive.BadArchive, list, content)))
            else:
                self.assertEqual((b"layer",), self.content(test_archive.unpack(b"".join(content))))

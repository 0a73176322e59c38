# SPDX-License-Identifier: Apache-2.0
"""Real archives of ``docker save`` into the real daemon, and snapshots back."""

from __future__ import annotations

import concurrent.futures
import contextlib
import gzip
import io
import json
import os
import tarfile
from typing import Any

import docker.errors
import testtools
from nova import exception
from testtools import matchers

from tests.functional.nova import environment
from tests.unit.nova import oci_layouts, test_archive


class ImageTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.compute = self.useFixture(environment.Compute())
        self.glance = self.compute.glance
        self.images = self.compute.driver._images
        self.architecture = self.compute.daemon.version()["Arch"]

    def small_image(self, *tags: str) -> bytes:
        """Return the archive of an image with one tiny layer, under *tags*."""
        layer = test_archive.pack(("hello", b"hello"))
        made = self.compute.daemon.api.import_image_from_data(layer)
        image_id = json.loads(made.splitlines()[-1])["status"]
        self.addCleanup(self._remove, image_id)
        for tag in tags:
            self.compute.daemon.api.tag(image_id, *tag.rsplit(":", 1))
        data = b"".join(self.compute.daemon.api.get_image(image_id))
        if not tags:
            return data
        manifest = json.loads(self._unpack(data)["manifest.json"])
        manifest[0]["RepoTags"] = list(tags)
        return self._repack(data, manifest)

    def _unpack(self, data: bytes) -> dict[str, bytes]:
        return test_archive.unpack(data)

    def _repack(self, data: bytes, manifest: Any) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=io.BytesIO(data)) as source, tarfile.open(fileobj=out, mode="w") as target:
            for member in source:
                content = source.extractfile(member).read() if member.isreg() else b""  # type: ignore[union-attr]
                if member.name == "manifest.json":
                    content = json.dumps(manifest).encode()
                    member.size = len(content)
                target.addfile(member, io.BytesIO(content))
        return out.getvalue()

    def _remove(self, image_id: str) -> None:
        with contextlib.suppress(docker.errors.ImageNotFound):
            self.compute.daemon.images.remove(image_id, force=True)

    def ensure(self, image: Any, **arguments: Any) -> str:
        return self.images.ensure(self.compute.context, image, **arguments)

    def test_loaded_once_however_many_ask(self) -> None:
        image = self.glance.add(self.small_image())
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            ids = set(pool.map(lambda _: self.ensure(image), range(8)))
        self.assertEqual((1, 1), (len(ids), len(self.glance.downloads)))
        tags = self.compute.daemon.images.get(ids.pop()).tags
        self.assertIn(f"nova/{image.id}:{image.checksum}", tags)

    def test_archive_cannot_take_a_name_on_the_host(self) -> None:
        """A tenant's archive claims the name of another image, and of another tenant's Glance image."""
        victim = self.glance.add(self.small_image())
        stolen = f"nova/{victim.id}:{victim.checksum}"
        archive = self.small_image("nova-test-stolen:1")
        manifest = json.loads(self._unpack(archive)["manifest.json"])
        manifest[0]["RepoTags"] = ["nova-test-stolen:1", stolen]
        self._remove("nova-test-stolen:1")
        self.ensure(self.glance.add(self._repack(archive, manifest)))
        for name in ("nova-test-stolen:1", stolen):
            self.assertRaises(docker.errors.ImageNotFound, self.compute.daemon.images.get, name)

    def test_archive_without_a_name_is_loaded(self) -> None:
        self.assertThat(self.ensure(self.glance.add(self.small_image())), matchers.StartsWith("sha256:"))

    def test_properties_do_not_lead_to_an_image_of_the_host(self) -> None:
        node = environment.test_image()
        image = self.glance.add(self.small_image(), name=node, docker_image=node, image_docker_image=node)
        self.assertNotEqual(self.compute.daemon.images.get(node).id, self.ensure(image))

    def test_bad_archives_are_a_fault_of_the_image(self) -> None:
        good = self.small_image()
        for content, expected in (
            (b"", "whole"),
            (b"QFI\xfb" + bytes(5000), "qcow2"),
            (bytes(0x8001) + b"CD001" + bytes(5000), "ISO"),
            (good[: len(good) // 2], "whole"),
            (gzip.compress(good)[:-100], "whole"),
            (test_archive.pack(("bin/sh", b"")), "docker save, not docker export"),
            (test_archive.pack(("manifest.json", [{}, {}])), "exactly one"),
            (oci_layouts.Layout().archive(), "no image for linux/"),
        ):
            image = self.glance.add(content)
            error = self.assertRaises(exception.ImageUnacceptable, self.ensure, image)
            self.assertIn(image.id, str(error))
            self.assertIn(expected, str(error))
            self.assertFalse(self._is_there(image))

    def test_archive_that_the_daemon_refuses(self) -> None:
        broken = test_archive.pack(("manifest.json", [{"Config": "none.json", "RepoTags": None, "Layers": []}]))
        error = self.assertRaises(exception.NovaException, self.ensure, self.glance.add(broken))
        self.assertIn("none.json", str(error))

    def test_oci_archive_is_loaded_and_runs(self) -> None:
        """Without manifest.json, for several platforms, tagged or not, with layers compressed or not."""
        files = self._unpack(self.glance.contents[self.compute.small_image().id])  # type: ignore[arg-type]
        (manifest,) = json.loads(files["manifest.json"])
        layers, settings = [files[name] for name in manifest["Layers"]], json.loads(files[manifest["Config"]])["config"]
        for compressed, tag in ((False, {}), (True, {"annotations": {"org.opencontainers.image.ref.name": "1"}})):
            layout = oci_layouts.Layout()
            others = [layout.image(b"", architecture=name) for name in ("s390x", "ppc64le")]
            ours = layout.image(*layers, settings=settings, compressed=compressed, architecture=self.architecture)
            image = self.glance.add(layout.archive({**layout.index(*others, ours), **tag}))
            instance = self.compute.instance(image)
            self.compute.spawn(instance, image)
            self.assertEqual("it runs\n", self.compute.run(instance, "echo it runs"))

    def test_oci_archive_whose_layer_is_not_what_the_configuration_says(self) -> None:
        layout = oci_layouts.Layout()
        wrong = "sha256:" + "0" * 64
        made = layout.image(test_archive.pack(("hello", b"")), diff_ids=[wrong], architecture=self.architecture)
        image = self.glance.add(layout.archive(made))
        self.assertIn(wrong, str(self.assertRaises(exception.ImageUnacceptable, self.ensure, image)))
        self.assertFalse(self._is_there(image))

    def test_image_for_another_architecture_is_refused_and_not_kept(self) -> None:
        files = self._unpack(self.small_image())
        (manifest,) = json.loads(files["manifest.json"])
        config = json.loads(files[manifest["Config"]])
        changed = [(manifest["Config"], {**config, "architecture": "s390x"}), ("manifest.json", [manifest])]
        layers = [(name, files[name]) for name in manifest["Layers"]]
        image = self.glance.add(test_archive.pack(*changed, *layers))
        error = self.assertRaises(exception.ImageUnacceptable, self.ensure, image)
        self.assertIn(f"it is for s390x, and this host runs {self.architecture}", str(error))
        self.assertFalse(self._is_there(image))

    def test_download_that_is_not_what_glance_has(self) -> None:
        image = self.glance.add(self.small_image())
        self.glance.contents[image.id] = self.small_image()[:-1] + b"x"
        error = self.assertRaises(exception.ImageUnacceptable, self.ensure, image)
        self.assertIn("Corrupt image download", str(error))
        name = f"nova/{image.id}:{image.checksum}"
        self.assertRaises(docker.errors.ImageNotFound, self.compute.daemon.images.get, name)

    def test_other_container_formats_are_refused_before_the_download(self) -> None:
        image = self.glance.add(self.small_image(), container_format="bare")
        error = self.assertRaises(exception.ImageUnacceptable, self.ensure, image)
        self.assertIn("docker save", str(error))
        self.assertEqual([], self.glance.downloads)

    def test_unknown_image(self) -> None:
        image = self.glance.add(b"")
        self.glance.images.clear()
        self.assertRaises(exception.ImageNotFound, self.ensure, image)

    def test_cache_ahead_and_remove_unused(self) -> None:
        image = self.glance.add(self.small_image())
        driver, context = self.compute.driver, self.compute.context
        self.assertEqual((True, False), (driver.cache_image(context, image.id), driver.cache_image(context, image.id)))
        used, unused = self.compute.instance(image), self.compute.instance(self.glance.add(b""))
        name = f"nova/{image.id}:{image.checksum}"
        # Images of others on this daemon count as used, so that they stay.
        self.images.remove_unused({used.image_ref, *self._others(image.id)}, 0)
        self.compute.daemon.images.get(name)
        self.images.remove_unused({unused.image_ref, *self._others(image.id)}, 3600)
        self.compute.daemon.images.get(name)
        self.images.remove_unused({unused.image_ref, *self._others(image.id)}, 0)
        self.assertRaises(docker.errors.ImageNotFound, self.compute.daemon.images.get, name)

    def _others(self, *image_ids: str) -> set[str]:
        found = {reference.split("/")[1].split(":")[0] for reference in self.images._references()}
        return found.difference(image_ids)

    def test_bound_takes_the_oldest_of_the_unused(self) -> None:
        first, second, used = (self.glance.add(self.big_image(n)) for n in range(3))
        for image in (first, second, used):
            self.ensure(image)
        self.images.bound({used.id, *self._others(first.id, second.id)}, 3)  # of 2 and 2
        self.assertEqual([False, True, True], [self._is_there(image) for image in (first, second, used)])
        self.images.bound({used.id, *self._others(second.id)}, 0)
        self.assertEqual([False, True], [self._is_there(image) for image in (second, used)])

    def big_image(self, number: int) -> bytes:
        """Return the archive of an image of 2 MiB that no other test has."""
        layer = test_archive.pack((f"big{number}", os.urandom(2 << 20)))
        made = self.compute.daemon.api.import_image_from_data(layer)
        image_id = json.loads(made.splitlines()[-1])["status"]
        try:
            return b"".join(self.compute.daemon.api.get_image(image_id))
        finally:
            self._remove(image_id)

    def _is_there(self, image: Any) -> bool:
        return bool(self.compute.daemon.images.list(name=f"nova/{image.id}"))

    def test_snapshot_can_be_booted(self) -> None:
        image = self.compute.node_image()
        instance = self.compute.instance(image)
        self.compute.spawn(instance, image)
        self.compute.run(instance, "echo snapped > /root/snapped; echo data > /mnt/not-snapped")
        snapshot = self.glance.add(b"", container_format=None, disk_format=None)
        states: list[str] = []
        self.compute.driver.snapshot(
            self.compute.context, instance, snapshot.id, lambda task_state, **_: states.append(task_state)
        )
        self.assertEqual(["image_pending_upload", "image_uploading"], states)
        self.assertEqual([], self.compute.daemon.images.list(name=f"nova-passing/{instance.uuid}"))
        stored = self.glance.meta(snapshot.id)
        self.assertEqual(("docker", "raw"), (stored.container_format, stored.disk_format))
        second = self.compute.instance(stored, hostname="node-2")
        self.compute.spawn(second, stored)
        self.assertEqual("snapped\n", self.compute.run(second, "cat /root/snapped; ls /mnt"))
        self.assertEqual("node-2\n", self.compute.run(second, "hostname"))

    def test_snapshot_of_an_instance_that_is_not_there(self) -> None:
        instance = self.compute.instance(self.glance.add(b""))
        error = exception.InstanceNotRunning
        self.assertRaises(error, self.compute.driver.snapshot, self.compute.context, instance, "id", lambda **_: None)

# SPDX-License-Identifier: Apache-2.0
"""``image register`` and ``image list`` against the lab's Glance and Sahara, with images of a few bytes."""

from __future__ import annotations

import contextlib
import io
import tarfile
import uuid
from pathlib import Path

import docker
import fixtures
import testtools

from sahara_docker import exceptions
from sahara_docker.cli import daemon, main
from sahara_docker.cli.image import archive, register
from tests.functional.cli_cloud import lab_cloud
from tests.functional.nova.environment import docker_host

_VERSION = "5.13.0"


class RegisterTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.openstack = lab_cloud.connect()
        self.name = f"doctor-{uuid.uuid4().hex[:6]}"
        self.addCleanup(self.remove_all)
        self.client = docker.DockerClient(base_url=docker_host(), version="auto")
        self.addCleanup(self.client.close)
        for name, value in lab_cloud.environ().items():
            self.useFixture(fixtures.EnvironmentVariable(name, value))
        self.useFixture(fixtures.EnvironmentVariable("SAHARA_DOCKER_IMAGE_PASSWORD", None))

    def remove_all(self):
        for image in self.images():
            self.openstack.request("DELETE", "image", f"/images/{image['id']}")

    def images(self):
        """Everything in Glance whose name starts with the test's."""
        found = self.openstack.get("image", "/images?limit=1000")["images"]
        return [image for image in found if image["name"].startswith(self.name)]

    def docker_image(self):
        """A new image of one small file in the Docker daemon."""
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w") as tar:
            info = tarfile.TarInfo("file")
            info.size = 36
            tar.addfile(info, io.BytesIO(str(uuid.uuid4()).encode()))
        name = f"doctor-test:{uuid.uuid4().hex[:8]}"
        self.client.api.import_image_from_data(content.getvalue(), *name.split(":"))
        self.addCleanup(self.client.images.remove, name, force=True)
        return name

    def register(self, source, *more):
        out, err = io.StringIO(), io.StringIO()
        words = [
            "image",
            "register",
            source,
            "--version",
            _VERSION,
            "--name",
            self.name,
            "--docker",
            docker_host(),
            *more,
        ]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main.main(words)
        return code, out.getvalue() + err.getvalue()

    def test_new_image(self):
        code, said = self.register(self.docker_image())
        self.assertEqual(0, code, said)
        (image,) = self.images()
        self.assertEqual(
            ("docker", "raw", "active"), (image["container_format"], image["disk_format"], image["status"])
        )
        shown = self.openstack.get("data-processing", f"/images/{image['id']}")["image"]
        self.assertEqual("cdh", shown["username"])
        self.assertEqual({"cdh_docker", _VERSION}, set(shown["tags"]))
        self.assertIn("100 %", said)
        self.assertIn(image["id"], said)

    def test_the_same_again_is_not_uploaded(self):
        name = self.docker_image()
        self.register(name)
        code, said = self.register(name, "--user", "other")
        self.assertEqual(0, code, said)
        self.assertIn("there already, not uploaded again", said)
        (image,) = self.images()
        self.assertEqual("other", self.openstack.get("data-processing", f"/images/{image['id']}")["image"]["username"])

    def test_a_changed_one_takes_the_name(self):
        self.register(self.docker_image())
        (old,) = self.images()
        code, said = self.register(self.docker_image())
        self.assertEqual(0, code, said)
        (new,) = self.images()
        self.assertNotEqual(old["id"], new["id"])
        self.assertIn(f"deleted its predecessor {old['id']}", said)

    def test_one_that_is_named_by_a_template_is_kept(self):
        self.register(self.docker_image())
        (old,) = self.images()
        body = {
            "plugin_name": "cdh_docker", "hadoop_version": _VERSION, "name": self.name, "default_image_id": old["id"],
        }  # fmt: skip
        with lab_cloud.posted("data-processing", "/cluster-templates", body):
            code, said = self.register(self.docker_image())
            self.assertEqual(0, code, said)
            self.assertIn(f"kept its predecessor {old['id']}", said)
            names = {image["id"]: image["name"] for image in self.images()}
            self.assertEqual([self.name], [name for name in names.values() if name == self.name])
            self.assertNotEqual(self.name, names[old["id"]])
            shown = self.openstack.get("data-processing", f"/images/{old['id']}")["image"]
            self.assertEqual({"cdh_docker", _VERSION}, set(shown["tags"]))
        # Nobody names it any more: the next registration takes it away.
        self.register(self.docker_image())
        self.assertEqual([self.name], [image["name"] for image in self.images()])

    def test_archive(self):
        name = self.docker_image()
        path = Path(self.useFixture(fixtures.TempDir()).path) / "image.tar"
        with path.open("wb") as stream:
            stream.writelines(self.client.api.get_image(name))
        code, said = self.register(str(path))
        self.assertEqual(0, code, said)
        (image,) = self.images()
        self.assertEqual(self.client.images.get(name).id, image[register.DOCKER_ID])
        self.assertEqual(path.stat().st_size, image["size"])
        # One and the same, whether from the file or from the daemon.
        self.assertIn("not uploaded again", self.register(name)[1])

    def test_a_file_that_is_no_image(self):
        path = Path(self.useFixture(fixtures.TempDir()).path) / "image.tar"
        path.write_text("nothing of the kind")
        code, said = self.register(str(path))
        self.assertEqual(main.FAILED, code)
        self.assertIn("this is not an image that docker save wrote", said)
        self.assertNotIn("Traceback", said)

    def test_version_that_the_plugin_does_not_have(self):
        code, said = self.register(self.docker_image(), "--version", "9.9")
        self.assertEqual(main.FAILED, code)
        self.assertIn("cdh_docker has no version 9.9", said)
        self.assertEqual([], self.images())

    def test_password(self):
        file = Path(self.useFixture(fixtures.TempDir()).path) / "password"
        file.write_text("the secret\n")
        code, said = self.register(self.docker_image(), "--password-file", str(file))
        self.assertEqual(0, code, said)
        self.assertNotIn("the secret", said)
        (image,) = self.images()
        self.assertEqual("the secret", image["sahara_docker_password"])

    def test_upload_that_breaks_off_leaves_nothing(self):
        image = archive.find(self.docker_image(), daemon.Daemon(docker_host()))

        def interrupted(sent, total):
            raise KeyboardInterrupt

        wanted = register.Wanted(self.name, _VERSION, "cdh")
        self.assertRaises(KeyboardInterrupt, register.register, self.openstack, image, wanted, interrupted)
        self.assertEqual([], self.images())

    def test_image_that_sahara_does_not_show_leaves_nothing(self):
        wanted = register.Wanted(self.name, _VERSION, "")  # Sahara does not show an image without one
        image = archive.find(self.docker_image(), daemon.Daemon(docker_host()))
        refused = self.assertRaises(
            exceptions.SaharaDockerError, register.register, self.openstack, image, wanted, lambda sent, total: None
        )
        self.assertIn("Sahara does not show the image", str(refused))
        self.assertEqual([], self.images())

    def test_preload_of_an_aggregate_that_does_not_exist(self):
        code, said = self.register(self.docker_image(), "--preload", "nowhere")
        self.assertEqual(main.FAILED, code)
        self.assertIn("there is no such host aggregate", said)

    def test_list(self):
        self.register(self.docker_image())
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            self.assertEqual(0, main.main(["image", "list"]))
        (image,) = self.images()
        for word in (self.name, image["id"], "user cdh", _VERSION, image[register.DOCKER_ID], "used by no cluster"):
            self.assertIn(word, out.getvalue())

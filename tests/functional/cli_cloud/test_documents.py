# SPDX-License-Identifier: Apache-2.0
"""What the documentation tells operators and maintainers to type does what it says, in the order of its pages.

Images are the same throughout: the first test makes them, the names of the others give the order.
"""

from __future__ import annotations

import functools
import http.server
import os
import re
import shutil
from pathlib import Path
from typing import Any, ClassVar

import docker
import testtools
from testtools import matchers

from lab import docker_engine, rest, settings
from sahara_docker.cli import registry
from tests import documents, follower, http_server
from tests.functional.cli import builds, debs

LAB = settings.Lab(settings.default_state())
#: Name of images in Glance: without it `image register` takes over the name that the lab's own image has.
IMAGE = "documents"
PASSWORD = "let-me-in"
#: Where the distribution's keys are; they have signed none of the packages here.
KEYRINGS = Path("/usr/share/keyrings")
#: The version and the directory of packages that pages name, and the lab's: Docker's daemon may have no bridge.
BUILT = {"image build": "image build --network host", "--base ubuntu:16.04": "--base rootfs.tar"}
REGISTERED = {"image register": f"image register --name {IMAGE}"}


def pins(lock: str) -> list[str]:
    """The versions that a lock file says, such as ``six==1.16.0``."""
    return re.findall(r"^[\w.-]+==[^ ;]+", lock, re.MULTILINE)


class _Files(http.server.SimpleHTTPRequestHandler):
    """Files of a directory, without a word."""

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the tests' output readable."""


class DocumentsTest(testtools.TestCase):
    desk: ClassVar[follower.Desk]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.cloud = rest.Cloud(LAB)
        cls.docker = docker.DockerClient(base_url=docker_engine.host(LAB), version="auto", timeout=300)
        cls.addClassCleanup(cls.docker.close)
        cls.before = cls.image_names()
        cls.addClassCleanup(cls.remove_images)
        cls.desk = follower.Desk(LAB)
        cls.desk.setUp()
        cls.addClassCleanup(cls.desk.cleanUp)
        place = cls.desk.place
        debs.make(place / "debs")
        (place / "password").write_text(PASSWORD)
        (place / "rootfs.tar").symlink_to(max(LAB.node_image.glob("base-*.tar"), key=os.path.getmtime))

    @classmethod
    def image_names(cls) -> set[str]:
        return {name for image in cls.docker.images.list() for name in image.tags}

    @classmethod
    def remove_images(cls) -> None:
        for image in cls.registered():
            cls.cloud.request("DELETE", "glance", f"/images/{image['id']}")
        with builds.Turn():
            for name in cls.image_names() - cls.before:
                if name.startswith(("cdh-node:", "sahara-docker/")):
                    cls.docker.images.remove(name, force=True)

    @classmethod
    def registered(cls) -> list[dict[str, Any]]:
        return cls.cloud.get("glance", f"/images?name={IMAGE}")["images"]

    def page(self, name: str, stand_ins: dict[str, str] | None = None) -> follower.Page:
        return follower.Page(self.desk, name, stand_ins)

    def delete(self, service: str, path: str) -> None:
        self.addCleanup(self.cloud.request, "DELETE", service, path)

    def repositories(self) -> None:
        """Serve the packages as two repositories, and write apt's lists of them."""
        place = self.desk.place
        for name, pattern in (("cm5", "cloudera-*.deb"), ("cdh5", "*.deb")):
            (place / name).mkdir()
            for path in (place / "debs").glob(pattern):
                shutil.copy(path, place / name)
            debs.index(place / name)
        handler = functools.partial(_Files, directory=str(place))
        url = self.useFixture(http_server.HttpServer(handler)).url
        for name in ("cm5", "cdh5"):
            (place / f"{name}.list").write_text(f"deb [trusted=yes] {url}/{name} ./\n")
        shutil.copy(next(KEYRINGS.glob("*-archive-keyring.gpg")), place / "archive.key")

    def test_1_images(self) -> None:
        self.useFixture(builds.Turn())
        self.repositories()
        with self.page("docs/images.md", BUILT | REGISTERED) as page:
            self.assertIn("ok    image.software ", page.follow("sahara-docker image build"))
            first = self.docker.images.get("cdh-node:5.13.0")
            self.assertIn("ok    image.software ", page.follow("sahara-docker image build"))
            self.docker.images.remove(first.id)  # which has no name any more
            self.assertIn("ok    image.login ", page.follow("sahara-docker image check"))
            output = page.follow("sahara-docker image register")
            self.assertIn("Sahara shows it", output)
            self.assertEqual(1, output.count("100 %"), output)
            self.assertRegex(page.follow("sahara-docker image list"), rf"(?m)^{IMAGE} ")
        (image,) = self.registered()
        self.assertEqual(PASSWORD, image[registry.PASSWORD])

    def test_2_installation(self) -> None:
        wheels, recipes = self.desk.place / "wheels", self.desk.place / "recipes"
        (known,) = self.registered()
        stand_ins = {
            "/opt/sahara-docker": str(wheels),
            "kolla-build ": f"kolla-build --template-only --work-dir {recipes} ",
            "compute-1": LAB.host,
            **REGISTERED,
        }
        with self.page("docs/install.md", stand_ins) as page:
            page.follow("kolla-build")
            self.assertThat(list(wheels.glob("sahara_docker-*.whl")), matchers.HasLength(1))
            for image in ("nova/nova-compute", "sahara/sahara-api", "sahara/sahara-engine"):
                self.assertIn("sahara-docker[", (recipes / "docker" / image / "Dockerfile").read_text(), image)
            page.follow("openstack aggregate create")
            aggregates = self.cloud.get("nova", "/os-aggregates")["aggregates"]
            place = next(f"/os-aggregates/{one['id']}" for one in aggregates if one["name"] == "docker-hosts")
            self.delete("nova", place)
            self.addCleanup(self.cloud.post, "nova", f"{place}/action", {"remove_host": {"host": LAB.host}})
            page.follow("openstack aggregate add")
            self.assertIn("1 hosts of docker-hosts are loading it", page.follow("sahara-docker image register"))
            loaded = f"nova/{known['id']}"
            rest.wait_until(lambda: self.docker.images.list(loaded) != [], timeout=180)
            for name in self.docker.images.list(loaded)[0].tags:
                if name.startswith(loaded):
                    self.addCleanup(self.docker.images.remove, name)
            page.follow()
        self.assertEqual([known["id"]], [image["id"] for image in self.registered()])

    def test_3_overview(self) -> None:
        self.useFixture(builds.Turn())
        with self.page("README.md", BUILT | REGISTERED) as page:
            for extra in ("sahara", "nova"):
                self.assertRegex(page.follow(f"pip install '.[{extra}]'"), "Successfully installed sahara-docker-")
            self.assertIn("13 ok", page.follow("sahara-docker image build"))
            page.follow("sahara-docker image register")
            self.assertRegex(page.follow("python3 -m lab status"), "sahara +up ")
            page.follow()

    def test_4_security(self) -> None:
        with self.page("docs/security.md", {"=...": "=another", "IMAGE": IMAGE}) as page:
            page.follow()
        self.assertEqual("another", self.registered()[0][registry.PASSWORD])

    def test_flavors_and_quotas(self) -> None:
        flavors = {one["name"]: one for one in self.cloud.get("nova", "/flavors/detail")["flavors"]}
        project = self.cloud.post("keystone", "/projects", {"project": {"name": "documents"}})["project"]["id"]
        self.delete("keystone", f"/projects/{project}")
        trait = "trait:CUSTOM_HYPERVISOR_DOCKER"
        specs = f"/flavors/{flavors['cdh.worker']['id']}/os-extra_specs"
        # Those of the page are there: the lab has made them.
        with self.page("docs/capacity.md", {"--disk 10 cdh.": "--disk 10 documents.", "PROJECT": "documents"}) as page:
            page.follow("openstack flavor set")
            self.assertEqual("required", self.cloud.get("nova", specs)["extra_specs"][trait])
            self.cloud.request("DELETE", "nova", f"{specs}/{trait}")
            for kind in ("manager", "master", "worker"):
                page.follow("openstack flavor create")
                made = self.cloud.get("nova", "/flavors/detail")["flavors"]
                made = next(one for one in made if one["name"] == f"documents.{kind}")
                self.delete("nova", f"/flavors/{made['id']}")
                for size in ("ram", "vcpus", "disk"):
                    self.assertEqual(flavors[f"cdh.{kind}"][size], made[size], (kind, size))
            page.follow()
        quota = self.cloud.get("nova", f"/os-quota-sets/{project}")["quota_set"]
        self.assertEqual((100, 400), (quota["instances"], quota["cores"]))

    def test_what_maintainers_do(self) -> None:
        requirements = self.desk.place / "requirements"
        names = ("openstack-2023.2", "test", "docs", "nova-34")
        before = {name: pins((requirements / f"{name}.txt").read_text()) for name in names}
        # Those of the release have some more, of what nobody asks for.
        (requirements / "constraints.txt").write_text("\n".join(before["openstack-2023.2"]))
        with self.page("docs/contributing.md") as page:
            page.follow("uv pip compile")
            page.follow()
        self.assertEqual(before, {name: pins((requirements / f"{name}.txt").read_text()) for name in names})
        notes = self.desk.place / "releasenotes/notes"
        self.assertThat(list(notes.glob("WHAT-CHANGED-*.yaml")), matchers.HasLength(1))

    def test_options_and_checks(self) -> None:
        with self.page("docs/configuration.md") as page:
            self.assertIn("#rotate_password = true", page.follow("oslo-config-generator"))
            self.assertIn("#data_backend = docker", page.follow("oslo-config-generator"))
        with self.page("docs/troubles.md") as page:
            page.follow()
        with self.page("docs/doctor.md") as page:
            printed = page.follow("sahara-docker doctor --list --format markdown")
        self.assertEqual((documents.ROOT / "docs/doctor.md").read_text(), printed)

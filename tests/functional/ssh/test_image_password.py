# SPDX-License-Identifier: Apache-2.0
"""The password of an image's login user, from a real Glance with and without property protections."""

from __future__ import annotations

import logging

import fixtures
from keystoneauth1 import session as keystone_session
from oslo_config import cfg
from sahara import conductor, context
from sahara.utils.openstack import images as sahara_images

from sahara_docker.ssh import errors, image_password
from tests.functional.ssh import base, glance, nodes

SECRET = "of-this-image-alone"


class ImagePasswordTestCase(base.RemoteTestCase):
    protected: bool
    glance: glance.Glance

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.glance = glance.Glance(cls.protected)
        cls.glance.setUp()
        cls.addClassCleanup(cls.glance.cleanUp)

    def setUp(self) -> None:
        super().setUp()
        admin = self.glance.auth("admin", "service")
        self.useFixture(fixtures.MonkeyPatch("sahara.utils.openstack.keystone.auth_for_admin", lambda **_: admin))
        member = self.glance.auth("member")
        self.useFixture(fixtures.MonkeyPatch("sahara.utils.openstack.keystone.auth", lambda: member))
        self.log = self.useFixture(fixtures.FakeLogger(level=logging.DEBUG))

    def get(self, image_id: str) -> str | None:
        return image_password.ImagePasswords().get(image_id)


class UnprotectedTest(ImagePasswordTestCase):
    protected = False

    def test_the_images_own_password_goes_before_the_option(self) -> None:
        container = self.node()
        right = self.glance.image("private", self.password)
        self.set_option("ssh_password", "wrong")
        self.assertEqual("cdh\n", self.remote(container, default_image_id=right).execute_command("id -un")[1])

        # A node group's own image goes before its cluster's.
        made = nodes.cluster({"worker": container.address}, default_image_id=right)
        wrong = self.glance.image("private", SECRET)
        group = made.node_groups[0]
        conductor.API.node_group_update(context.ctx(), group, {"image_id": wrong})
        failing = self.remotes.remote(nodes.of(nodes.reload(made))[0])
        failure = self.assertRaises(errors.PasswordRefused, failing.check_login, 30)
        self.assertIn("the image's property sahara_docker_password", str(failure))
        for text in (str(failure), self.log.output):
            self.assertNotIn(SECRET, text)
            self.assertNotIn(self.password, text)

    def test_an_image_without_it_leaves_the_option(self) -> None:
        image_id = self.glance.image("public", None)
        self.assertIsNone(self.get(image_id))
        container = self.node()
        self.assertEqual("cdh\n", self.remote(container, default_image_id=image_id).execute_command("id -un")[1])
        self.set_option("ssh_password", None)
        failure = self.assertRaises(
            errors.NoPasswordKnown, self.remote(container, default_image_id=image_id).check_login, 30
        )
        self.assertIn(f"image {image_id} has no property sahara_docker_password", str(failure))

    def test_an_image_that_cannot_be_read_is_an_error_only_without_the_option(self) -> None:
        container = self.node()
        unknown = "00000000-0000-4000-8000-000000000000"
        self.remote(container, default_image_id=unknown).check_login(30)
        self.set_option("ssh_password", None)
        failure = self.assertRaises(
            errors.NoPasswordKnown, self.remote(container, default_image_id=unknown).check_login, 30
        )
        self.assertIn("Glance does not show the image", str(failure))
        self.assertIn("404", str(failure))

    def test_who_can_read_it_is_warned_about_once(self) -> None:
        image_id = self.glance.image("public", SECRET)
        passwords = image_password.ImagePasswords()
        for _ in range(2):
            self.assertEqual(SECRET, passwords.get(image_id))
            passwords._answers.clear()
        self.assertEqual(1, self.log.output.count(f"Everyone who sees the public image {image_id}"))
        self.assertNotIn(SECRET, self.log.output)
        for visibility in ("private", "shared"):
            quiet = self.glance.image(visibility, SECRET)
            self.assertEqual(SECRET, self.get(quiet))
            self.assertNotIn(quiet, [line for line in self.log.output.splitlines() if "Everyone" in line])

    def test_a_new_password_counts_after_a_minute(self) -> None:
        now = [1000.0]
        self.useFixture(fixtures.MonkeyPatch("sahara_docker.ssh.image_password.time.monotonic", lambda: now[0]))
        passwords = image_password.ImagePasswords()
        image_id = self.glance.image("private", SECRET)
        self.assertEqual(SECRET, passwords.get(image_id))
        change = [{"op": "replace", "path": "/sahara_docker_password", "value": "new"}]
        keystone_session.Session(auth=self.glance.auth("admin")).patch(
            f"{self.glance.url}/v2/images/{image_id}",
            json=change,
            headers={"Content-Type": "application/openstack-images-v2.1-json-patch"},
        )
        self.assertEqual(SECRET, passwords.get(image_id))
        now[0] += 61
        self.assertEqual("new", passwords.get(image_id))

    def test_saharas_image_api_and_its_log_do_not_show_it(self) -> None:
        image_id = self.glance.image("public", SECRET)
        cfg.CONF.set_override("endpoint_type", "publicURL", "glance")
        self.addCleanup(cfg.CONF.clear_override, "endpoint_type", "glance")
        manager = sahara_images.image_manager()
        manager.set_image_info(image_id, "cdh", "a node")
        manager.tag(image_id, ["cdh_docker"])
        shown = [manager.get(image_id).to_dict(), *(image.to_dict() for image in manager.list())]
        self.assertEqual("cdh", shown[0]["username"])
        self.assertNotIn(SECRET, str(shown))
        self.assertIn("RESP BODY", self.log.output)
        self.assertNotIn(SECRET, self.log.output)


class ProtectedTest(ImagePasswordTestCase):
    protected = True

    def test_admins_alone_read_it_and_nothing_else_changes(self) -> None:
        image_id = self.glance.image("public", SECRET)
        shown = self.glance.request("GET", f"/v2/images/{image_id}", "member")
        self.assertNotIn(image_password.PROPERTY, shown)
        self.assertEqual(SECRET, self.get(image_id))
        self.assertNotIn("Everyone", self.log.output)
        body = {"name": "mine", "disk_format": "raw", "container_format": "bare", "os_distro": "debian"}
        self.assertEqual("debian", self.glance.request("POST", "/v2/images", "member", body)["os_distro"])

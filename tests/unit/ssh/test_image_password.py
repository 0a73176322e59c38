# SPDX-License-Identifier: Apache-2.0
"""Image passwords when what is asked besides them fails, or takes long."""

from __future__ import annotations

from unittest import mock

import eventlet
from eventlet import event
from oslo_config import cfg
from sahara import main as sahara_main  # noqa: F401 - registers Sahara's options
from sahara.tests.unit import base

from sahara_docker.ssh import image_password

_IMAGE = {"id": "image", "visibility": "public", image_password.PROPERTY: "secret"}


class ImagePasswordsTest(base.SaharaTestCase):
    def setUp(self):
        super().setUp()
        self.setup_context()
        patcher = mock.patch.object(image_password, "keystone", auth_for_admin=lambda **_: "admin")
        self.keystone = patcher.start()
        self.addCleanup(patcher.stop)
        self.assertIsNotNone(cfg.CONF.trustee)

    def read_by(self, read):
        patcher = mock.patch.object(image_password, "_read", read)
        patcher.start()
        self.addCleanup(patcher.stop)

    def test_a_check_that_fails_in_any_way_leaves_the_password(self):
        self.keystone.auth.side_effect = TypeError("no plugin")
        self.read_by(lambda image_id, auth: dict(_IMAGE))
        passwords = image_password.ImagePasswords()
        self.assertEqual("secret", passwords.get("image"))
        self.assertEqual(set(), passwords._warned)

    def test_an_image_is_not_waited_for_by_others(self):
        asked, answer = [], event.Event()

        def read(image_id, auth):
            asked.append(image_id)
            if image_id == "slow":
                answer.wait()
            return {**_IMAGE, "id": image_id, "visibility": "private"}

        self.read_by(read)
        passwords = image_password.ImagePasswords()
        waiting = [eventlet.spawn(passwords.get, "slow") for _ in range(2)]
        eventlet.sleep(0)
        with eventlet.Timeout(5):
            self.assertEqual("secret", passwords.get("fast"))
        answer.send()
        self.assertEqual(["secret", "secret"], [thread.wait() for thread in waiting])
        self.assertEqual(["slow", "fast"], asked)

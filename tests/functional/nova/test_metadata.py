# SPDX-License-Identifier: Apache-2.0
"""What an instance gets without cloud-init, and that nobody reads it on the host."""

from __future__ import annotations

import base64
import json
import time
from email.mime import multipart, text
from typing import Any

import fixtures
import testtools

from tests.functional.nova import environment

_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKey me@example.org"


class MetadataTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.compute = self.useFixture(environment.Compute())
        self.driver = self.compute.driver
        self.image = self.compute.small_image()
        self.instance = self.compute.instance(self.image)

    def spawn(self, password: str | None = None, **arguments: object) -> None:
        self.driver.spawn(
            self.compute.context, self.instance, self.image, arguments.pop("files", []), password, {},
            network_info=environment.model.NetworkInfo([]), **arguments,
        )  # fmt: skip

    def run_in(self, command: str) -> str:
        return self.compute.run(self.instance, command)

    def console(self, awaited: str) -> str:
        deadline = time.monotonic() + 30
        while awaited not in (found := self.driver.get_console_output(self.compute.context, self.instance)):
            self.assertTrue(time.monotonic() < deadline, f"the console has only: {found}")
            time.sleep(0.1)
        return found

    def test_key_is_the_login_user_s_and_goes_beside_those_of_the_image(self) -> None:
        image = self.compute.node_image()
        self.instance = self.compute.instance(image)
        self.instance.key_data = _KEY + "\n"
        self.instance.system_metadata = {"image_os_admin_user": "cdh"}
        self.image = image
        self.spawn()
        out = self.run_in("cat ~cdh/.ssh/authorized_keys; stat -c '%U %a' ~cdh ~cdh/.ssh ~cdh/.ssh/authorized_keys")
        self.assertEqual(_KEY, out.splitlines()[0])
        self.assertEqual(["cdh", "cdh 700", "cdh 600"], [out.splitlines()[1].split()[0], *out.splitlines()[2:]])
        out = self.run_in("su cdh -c 'cat ~/.ssh/authorized_keys'")
        self.assertIn(_KEY, out)

    def test_each_instance_of_an_image_has_its_own_key_alone(self) -> None:
        for key in (_KEY, _KEY.replace("IKey", "IOther")):
            self.instance = self.compute.instance(self.image)
            self.instance.key_data = key
            self.spawn()
            self.assertEqual(f"{key}\n", self.run_in("cat ~root/.ssh/authorized_keys"))

    def test_key_of_a_user_that_the_image_lacks_is_no_failure(self) -> None:
        self.instance.key_data, self.instance.key_name = _KEY, "mine"
        self.instance.system_metadata = {"image_os_admin_user": "nobody-here"}
        self.spawn()
        self.run_in("true")

    def test_injected_files(self) -> None:
        self.spawn(files=[("/etc/issue", b"mine"), ("deep/down/file", "text")])
        self.assertEqual("minetext", self.run_in("cat /etc/issue /deep/down/file"))

    def user_data(self, content: bytes, wanted: str = "true") -> None:
        self.instance.user_data = base64.b64encode(content).decode()
        self.instance.system_metadata = {"image_docker_run_user_data": wanted}

    def test_script_runs_once_as_root_and_its_output_is_in_the_console(self) -> None:
        self.user_data(b"#!/bin/sh\nid -u; echo run >> /etc/runs; exit 3\n")
        self.spawn()
        self.assertIn("0\n", self.console("ended with status 3"))
        self.driver.reboot(self.compute.context, self.instance, [], "HARD")
        time.sleep(1)
        self.assertEqual("run\n", self.run_in("cat /etc/runs"))

    def test_script_of_an_instance_that_is_started_later(self) -> None:
        self.user_data(b"#!/bin/sh\necho later\n")
        self.spawn(power_on=False)
        self.driver.power_on(self.compute.context, self.instance, [])
        self.console("later")

    def test_script_of_heat(self) -> None:
        mime = multipart.MIMEMultipart()
        for name, kind, script in (
            ("cfn-userdata", "x-cfninitdata", "#!/bin/sh\necho of heat\n"),
            ("loguserdata.py", "x-shellscript", "#!/usr/bin/python3\nprint('only for cloud-init')\n"),
        ):
            part = text.MIMEText(script, kind)
            part.add_header("Content-Disposition", "attachment", filename=name)
            mime.attach(part)
        self.user_data(mime.as_bytes())
        self.spawn()
        self.assertNotIn("cloud-init", self.console("ended with status 0"))
        self.assertIn("of heat", self.console("ended with status 0"))

    def test_image_that_does_not_want_it_gets_none(self) -> None:
        self.user_data(b"#!/bin/sh\ntouch /etc/runs\n", wanted="false")
        self.spawn()
        self.run_in("test ! -e /var/lib/nova-user-data")

    def test_config_drive_is_where_cloud_init_looks_and_not_in_what_docker_tells(self) -> None:
        self.useFixture(fixtures.MonkeyPatch("sahara_docker.nova.metadata._collected", _drive))
        self.instance.config_drive = "True"
        self.user_data(b"#!/bin/sh\necho data secret-in-data\n")
        self.spawn("secret-password", files=[("/etc/injected", b"secret-file")])
        path = "/var/lib/cloud/seed/config_drive/openstack/latest/meta_data.json"
        found = json.loads(self.run_in(f"cat {path}"))
        self.assertEqual({"admin_pass": "secret-password"}, found)
        self.assertEqual("600\n", self.run_in(f"stat -c %a {path}"))
        label = f"nova.uuid={self.instance.uuid}"
        for container in self.compute.daemon.containers.list(all=True, filters={"label": label}):
            self.assertNotIn("secret", json.dumps(container.attrs))


def _drive(_instance: Any, _content: Any, extra: dict[str, str], _network_info: Any) -> list[tuple[str, str]]:
    return [("openstack/latest/meta_data.json", json.dumps(extra))]

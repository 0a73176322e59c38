# SPDX-License-Identifier: Apache-2.0
"""``image check`` on the node image, and on images that were made of it wrongly."""

from __future__ import annotations

import contextlib
import io
import json
import os
import tarfile
import uuid
from typing import ClassVar

import docker
import fixtures

from sahara_docker import exceptions
from sahara_docker.cli import daemon, main
from sahara_docker.cli.doctor import runner
from sahara_docker.cli.image import subject, trials
from tests.functional.nova.environment import docker_host, test_image
from tests.unit.cli import doctoring

# Everything that can be wrong in one image that still starts.
_BROKEN = """
RUN rm /etc/sudoers.d/login-user; sed -i '1i session requisite pam_deny.so' /etc/pam.d/su; \
    echo 'hosts: dns' > /etc/nsswitch.conf; rm -f $(command -v hdfs); userdel hdfs; \
    printf '#!/bin/sh\\necho cannot open session\\nexit 1\\n' > /etc/init.d/cloudera-scm-server-db; \
    echo same-everywhere > /var/lib/cloudera-scm-agent/uuid; cp /bin/sleep /usr/sbin/ntpd
ENTRYPOINT ["bash", "-c", \
    "mkdir -p /run/sshd; ssh-keygen -qA; /usr/sbin/sshd; ntpd infinity & trap '' TERM; exec sleep infinity"]
"""


class DerivedImage(fixtures.Fixture):
    """An image that a Dockerfile's lines make of the node image; ``name`` is its name."""

    def __init__(self, lines: str) -> None:
        self._lines = lines

    def _setUp(self) -> None:
        self.name = f"doctor-test:{uuid.uuid4().hex[:8]}"
        client = docker.DockerClient(base_url=docker_host(), version="auto")
        self.addCleanup(client.close)
        recipe = io.BytesIO(f"FROM {test_image()}\n{self._lines}".encode())
        client.images.build(fileobj=recipe, tag=self.name, network_mode="none", forcerm=True)
        self.addCleanup(client.images.remove, self.name, force=True)


class ImageCheckTest(doctoring.DoctorTest):
    password: ClassVar[str] = os.environ.get("SAHARA_DOCKER_TEST_PASSWORD", "")

    def examine(self, name, place):
        trial = trials.STOP if name == trials.STOP.name else trials.TRIALS[name]
        (finding,) = runner.run([trial], place, timeout=120)
        return finding

    def running(self, image, password=None):
        password = self.password if password is None else password
        tried = subject.Subject(daemon.Daemon(docker_host()), image, "cdh", password)
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        return stack.enter_context(tried.running())

    def test_the_node_image_is_well(self):
        tried = self.running(test_image())
        self.assert_well("image.start", tried)
        self.assert_well("image.sandbox", tried)
        self.assert_well("image.login", tried)
        self.assert_well("image.session", tried)
        self.assert_well("image.names", tried)
        self.assert_well("image.init", tried)
        self.assert_well("image.software", tried)
        self.assert_well("image.services", tried)
        self.assert_well("image.ports", tried)
        self.assert_well("image.disk", tried)
        self.assert_well("image.identity", tried)
        self.assert_well("image.time", tried)
        self.assert_well("image.stop", tried)

    def test_an_image_that_is_wrong_in_every_way(self):
        tried = self.running(self.useFixture(DerivedImage(_BROKEN)).name)
        self.assert_well("image.start", tried)
        self.assert_named("image.login", tried, "sudo: ", "password is required")
        self.assert_named("image.session", tried, "su - cdh")
        self.assert_named("image.names", tried, "hostname -f")
        self.assert_named("image.init", tried, "a zombie")
        self.assert_named("image.software", tried, "lacks", "the command hdfs")
        self.assert_named("image.services", tried, "cloudera-scm-server-db: cannot open session")
        self.assert_named("image.disk", tried, "hdfs")
        self.assert_named("image.identity", tried, "/var/lib/cloudera-scm-agent/uuid")
        self.assert_named("image.time", tried, "ntpd")
        self.assert_named("image.stop", tried, "was killed after 10 s")

    def test_user_without_a_password(self):
        tried = self.running(self.useFixture(DerivedImage("RUN passwd -l cdh")).name)
        self.assert_named("image.login", tried, "cdh by password", "refused")

    def test_no_password_given(self):
        self.assert_not_here("image.login", self.running(test_image(), password=""), "no password was given")

    def test_image_that_does_not_stay_up(self):
        tried = self.running(self.useFixture(DerivedImage('ENTRYPOINT ["false"]')).name)
        self.assert_named("image.start", tried, "does not stay up", "exit 1")

    def test_image_without_the_sandbox_s_program(self):
        tried = self.running(self.useFixture(DerivedImage("RUN rm /bin/sleep")).name)
        self.assert_named("image.sandbox", tried, "missing", "sandbox_command")

    def test_image_without_ports(self):
        empty = io.BytesIO()
        with tarfile.open(fileobj=empty, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("file"), io.BytesIO())
        name = f"doctor-test:{uuid.uuid4().hex[:8]}"
        client = docker.DockerClient(base_url=docker_host(), version="auto")
        self.addCleanup(client.close)
        client.api.import_image_from_data(empty.getvalue(), *name.split(":"))
        self.addCleanup(client.images.remove, name, force=True)
        tried = subject.Subject(daemon.Daemon(docker_host()), name, "cdh", "")
        self.assert_named("image.ports", tried, "lacks 22, ", "7180", "EXPOSE")

    def test_image_that_is_not_there(self):
        refused = self.assertRaises(exceptions.SaharaDockerError, self.running, "doctor-test:nowhere")
        self.assertIn("no such image", str(refused))

    def test_command(self):
        self.useFixture(fixtures.EnvironmentVariable("SAHARA_DOCKER_IMAGE_PASSWORD", self.password))
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = main.main(["image", "check", test_image(), "--docker", docker_host(), "--format", "json"])
        document = json.loads(out.getvalue())
        self.assertEqual((0, "ok", len(trials.TRIALS) + 1), (code, document["status"], len(document["checks"])))
        self.assertNotIn(self.password, out.getvalue())

# SPDX-License-Identifier: Apache-2.0
"""Checks of instances: some that the Nova driver makes, and some that are made as they should not be."""

from __future__ import annotations

import io
import tarfile
import uuid
from pathlib import Path

import fixtures

from sahara_docker.cli import daemon
from tests.functional.nova import environment
from tests.unit.cli import doctoring

ALL = ("limits", "privileged", "names", "network", "log-size", "init", "image")


class InstancesTest(doctoring.DoctorTest):
    def setUp(self):
        super().setUp()
        self.compute = self.useFixture(environment.Compute())
        self.addCleanup(environment.remove_image, environment.NODE_IMAGE_ID)
        self.root = Path(self.useFixture(fixtures.TempDir()).path)
        (self.root / "etc/nova").mkdir(parents=True)
        (self.root / "etc/nova/nova.conf").write_text(
            f"[DEFAULT]\nhost = {self.compute.host}\n[docker]\nhost = {environment.docker_host()}\n"
        )

    def site(self):
        return doctoring.place(root=str(self.root))

    def container(self, *, start=True, image=None, command="sleep 300", role="workload", **arguments):
        """A container that says it is an instance of Nova."""
        number = str(uuid.uuid4())
        labels = {
            daemon.LABEL_UUID: number,
            daemon.LABEL_HOST: self.compute.host,
            daemon.LABEL_ROLE: role,
            "nova.name": "x",
        }
        made = self.compute.daemon.containers.create(
            image or environment.test_image(), command=command.split(), entrypoint=[], labels=labels,
            **{"network_mode": "none", **arguments},
        )  # fmt: skip
        self.addCleanup(made.remove, force=True)
        if start:
            made.start()
        return made

    def test_instances_of_the_driver_are_well(self):
        image = self.compute.node_image()
        self.compute.spawn(self.compute.instance(image), image)
        site = self.site()
        self.assert_well("instances.limits", site)
        self.assert_well("instances.privileged", site)
        self.assert_well("instances.names", site)
        self.assert_well("instances.network", site)
        self.assert_well("instances.log-size", site)
        self.assert_well("instances.init", site)
        self.assert_well("instances.image", site)

    def test_a_container_without_anything(self):
        made = self.container()
        site = self.site()
        self.assert_named("instances.limits", site, "no limit of its own for nofile and nproc", "ulimits")
        self.assert_named("instances.names", site, "its hostname is the container's number")
        self.assert_named("instances.network", site, "network mode none")
        self.assert_named("instances.log-size", site, "json-file without max-size")
        self.assert_named("instances.init", site, "its first process is sleep")
        self.assertTrue(made.id)

    def test_a_hosts_file_that_is_docker_s_or_cannot_be_written(self):
        self.container(hostname="node-1")
        self.assert_named("instances.names", self.site(), "/etc/hosts is Docker's")
        self.container(hostname="node-2", volumes={"/etc/hostname": {"bind": "/etc/hosts", "mode": "ro"}})
        self.assert_named("instances.names", self.site(), "node-2: /etc/hosts cannot be written")

    def test_privileged(self):
        self.container(start=False, privileged=True, hostname="node-1")
        self.assert_named("instances.privileged", self.site(), "node-1: privileged", "docker:privileged")

    def test_a_sandbox_that_was_restarted_takes_the_network_away(self):
        image = self.compute.node_image()
        instance = self.compute.instance(image)
        self.compute.spawn(instance, image)
        sandbox = self.compute.daemon.containers.get(f"nova-{instance.uuid}-sandbox")
        sandbox.restart(timeout=0)
        self.assert_named("instances.network", self.site(), "it has lost its network", "reboot --hard")
        sandbox.stop(timeout=0)
        self.assert_named("instances.network", self.site(), "its sandbox does not")

    def test_an_image_whose_name_is_gone(self):
        empty = io.BytesIO()
        with tarfile.open(fileobj=empty, mode="w") as archive:
            info = tarfile.TarInfo(uuid.uuid4().hex)
            archive.addfile(info, io.BytesIO())
        name = f"doctor-test:{uuid.uuid4().hex[:8]}"
        self.compute.daemon.api.import_image_from_data(empty.getvalue(), *name.split(":"))
        self.container(start=False, image=name, hostname="node-1")
        self.assert_well("instances.image", self.site())
        self.compute.daemon.images.remove(name, force=True)
        self.assert_named("instances.image", self.site(), "node-1", "no name any more")

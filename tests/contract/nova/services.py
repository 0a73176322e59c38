# SPDX-License-Identifier: Apache-2.0
"""Nova's own functional base around the driver: Nova's API, conductor, scheduler and nova-compute in this process.

Nova's fixtures stand in for Neutron, Glance and Keystone; Placement is the real one. Docker and the interfaces are
real.
"""

from __future__ import annotations

import nova.tests.functional  # isort: skip  # noqa: F401 - must be the first of Nova: it prepares the process

import copy
import os
import subprocess
import sys
import time
import uuid
from typing import Any

import docker
import fixtures
from nova.tests import fixtures as nova_fixtures
from nova.tests.functional import integrated_helpers

import sahara_docker.conf
from sahara_docker.nova import driver
from tests.functional.nova import environment

_PATIENCE = 120  # seconds


class Neutron(nova_fixtures.NeutronFixture):
    """Its two ``ports`` are bound to a Linux bridge and not to an Open vSwitch that is not there."""

    def __init__(self, test: Any, bridge: str) -> None:
        super().__init__(test)
        self._bridge = bridge
        # Interfaces are named after their ports, and several such processes may run at once on one machine.
        self.ports = [{**port, "id": str(uuid.uuid4())} for port in (self.port_1, self.port_2)]
        self._ports.update((port["id"], copy.deepcopy(port)) for port in self.ports)

    def _merge_in_active_binding(self, port: dict[str, Any]) -> None:
        super()._merge_in_active_binding(port)
        port.update({"binding:vif_type": "other", "binding:vif_details": {"bridge_name": self._bridge}})


class Cloud(integrated_helpers.ProviderUsageBaseTestCase):
    """A Nova with one compute host that is this machine's Docker daemon; ``image`` is a small one in Glance."""

    compute_driver = "docker.DockerDriver"

    def setUp(self) -> None:
        sahara_docker.conf.register_nova_opts(driver.CONF)
        self.host = f"nova-test-{uuid.uuid4().hex[:8]}"
        self.daemon = docker.from_env()
        self.addCleanup(self.daemon.close)
        self.bridge = f"nova-t-{uuid.uuid4().hex[:8]}"
        self.useFixture(environment.Bridge(self.bridge, ()))
        directory = self.useFixture(fixtures.TempDir()).path
        self.addCleanup(environment.unmount_below, directory)
        self.flags(instances_path=directory)
        self.flags(host=environment.docker_host(), group="docker")
        self.flags(api_paste_config=os.path.join(sys.prefix, "etc/nova/api-paste.ini"), group="wsgi")
        self.flags(allow_resize_to_same_host=True)
        # Nova's tests forbid a look at the machine that they run on; the driver's host is this machine.
        self.stub_out("nova.tests.fixtures.GenericPoisonFixture.POISON_THESE", ())
        self.stub_out("nova.tests.fixtures.NeutronFixture", lambda test: Neutron(test, self.bridge))
        super().setUp()
        self.addCleanup(self._remove_images)
        self.addCleanup(environment.remove_containers, self.daemon, self.host)
        self.image = self.add_image(self.archive())
        self.compute = self._start_compute(self.host)
        self.addCleanup(self._stop)

    def add_image(self, archive: bytes) -> str:
        """Put an image into Glance and return its id."""
        image_id = str(uuid.uuid4())
        known = {"name": "node", "container_format": "docker", "disk_format": "raw", "properties": {}, "min_disk": 0}
        self.glance.create(None, {"id": image_id, "checksum": uuid.uuid4().hex, "min_ram": 0, **known})
        self.glance._imagedata[image_id] = archive
        return image_id

    def _stop(self) -> None:
        self.compute.stop()
        self.compute.manager.driver.cleanup_host(self.host)

    def _remove_images(self) -> None:
        for image_id in self.glance.images:
            environment.remove_image(image_id)

    def _wait_for_server_parameter(
        self, server: dict[str, Any], expected_params: dict[str, Any], *_args: Any, **_kwargs: Any
    ) -> dict[str, Any]:
        """With more patience than Nova's 5 s, none with a server that has failed, and of that one with its fault."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            server = self.api.get_server(server["id"])
            as_expected = all(server[name] == value for name, value in expected_params.items())
            if as_expected and (server["status"] != "ERROR" or "fault" in server):
                return server
            if time.monotonic() > deadline or (server["status"] == "ERROR" and not as_expected):
                self.fail(f"{expected_params} expected of {server}")
            time.sleep(0.1)

    def container(self, server: dict[str, Any]) -> Any:
        return self.daemon.containers.get(f"nova-{server['id']}")

    def run_in(self, server: dict[str, Any], command: str) -> str:
        """Run a shell command as root in a server and return its output."""
        status, output = self.container(server).exec_run(["sh", "-c", command])
        self.assertEqual(0, status, output)
        return output.decode().strip()

    def archive(self, *changes: str) -> bytes:
        """Return an archive of the small image with lines of a Dockerfile."""
        return environment.small_archive(*changes)

    def _act(self, server: dict[str, Any], action: dict[str, Any], state: str) -> None:
        self.api.post_server_action(server["id"], action)
        self._wait_for_state_change(server, state)

    def assert_nothing_left(self) -> None:
        """Docker has neither container nor volume of this host, the bridge no port."""
        label = {"label": f"nova.host={self.host}"}
        self.assertEqual([], self.daemon.containers.list(all=True, filters=label))
        self.assertEqual([], self.daemon.volumes.list(filters=label))
        ports = subprocess.run(["ip", "link", "show", "master", self.bridge], capture_output=True, check=True).stdout
        self.assertEqual(b"", ports)

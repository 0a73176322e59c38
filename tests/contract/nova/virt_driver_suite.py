# SPDX-License-Identifier: Apache-2.0
"""Nova's own suite for compute drivers, on ours: real Docker, real interfaces, Nova's fake Glance with a real archive.

Not collected by pytest: importing Nova's tests replaces parts of the standard library in the whole process (eventlet).
``test_driver_contract`` runs it as ``python -m unittest tests.contract.nova.virt_driver_suite``.
"""

from __future__ import annotations

import nova.tests.unit  # isort: skip  # noqa: F401 - must be the first of Nova: it prepares the process

import contextlib
import uuid
from typing import Any

import docker
from nova import test
from nova.network import model
from nova.tests.fixtures import glance as glance_fixture
from nova.tests.unit import utils as nova_test_utils
from nova.tests.unit.virt import test_virt_drivers

import sahara_docker.conf
from sahara_docker.nova import driver
from tests.functional.nova import environment

_HOST = f"nova-test-{uuid.uuid4().hex[:8]}"
_BRIDGE = "nova-test-con"
_get_test_network_info = nova_test_utils.get_test_network_info


def tearDownModule() -> None:
    environment.remove_image(glance_fixture.GlanceFixture.image1["id"])


def _network_info(count: int = 1) -> model.NetworkInfo:
    """Nova's test network, bound to a Linux bridge and not to an Open vSwitch that is not there."""
    network_info = _get_test_network_info(count)
    for vif in network_info:
        vif["type"], vif["details"] = model.VIF_TYPE_OTHER, {"bridge_name": _BRIDGE}
    return network_info


def _download(
    self: Any, context: Any, image_id: str, data: Any = None, dst_path: Any = None, trusted_certs: Any = None
) -> None:
    with contextlib.closing(docker.from_env()) as client:
        data.writelines(client.api.get_image(environment.test_image(), chunk_size=1 << 20))


class DockerDriverSuite(test_virt_drivers._VirtDriverTestCase, test.TestCase):
    driver_module = "sahara_docker.nova.driver.DockerDriver"

    def setUp(self) -> None:
        sahara_docker.conf.register_nova_opts(driver.CONF)
        self.flags(host=_HOST)
        self.flags(host=environment.docker_host(), group="docker")
        self.useFixture(environment.Bridge(_BRIDGE, ("10.0.0.254/24",)))
        image = {**glance_fixture.GlanceFixture.image1, "container_format": "docker"}
        self.stub_out("nova.tests.fixtures.glance.GlanceFixture.image1", image)
        self.stub_out("nova.tests.fixtures.glance.GlanceFixture.download", _download)
        self.stub_out("nova.tests.unit.utils.get_test_network_info", _network_info)
        self.addCleanup(self._remove_containers)
        super().setUp()

    def _remove_containers(self) -> None:
        client = docker.from_env()
        for container in client.containers.list(all=True, filters={"label": f"nova.host={_HOST}"}):
            container.remove(force=True, v=True)
        for volume in client.volumes.list(filters={"label": f"nova.host={_HOST}"}):
            volume.remove(force=True)

    def _get_running_instance(self, obj: bool = True) -> Any:
        get_instance = nova_test_utils.get_test_instance

        def instance_of_our_image(*args: Any, **kwargs: Any) -> Any:
            instance = get_instance(*args, **kwargs)
            instance["image_ref"] = glance_fixture.GlanceFixture.image1["id"]
            return instance

        self.stub_out("nova.tests.unit.utils.get_test_instance", instance_of_our_image)
        try:
            return super()._get_running_instance(obj)
        finally:
            self.stub_out("nova.tests.unit.utils.get_test_instance", get_instance)

    def test_live_migration(self) -> None:
        """The suite's version is libvirt's; a container cannot move while it runs."""
        self.assertRaises(NotImplementedError, self.connection.live_migration, self.ctxt, None, "other", None, None)

    def test_live_migration_force_complete(self) -> None:
        """The suite's version reaches into libvirt's driver."""
        self.assertRaises(NotImplementedError, self.connection.live_migration_force_complete, None)

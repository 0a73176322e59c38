# SPDX-License-Identifier: Apache-2.0
"""Nova's own suite for compute drivers, on ours: real Docker, real interfaces, Nova's fake Glance with a real archive.

Not collected by pytest: importing Nova's tests replaces parts of the standard library in the whole process (eventlet).
``test_suites`` runs it as ``python -m unittest tests.contract.nova.virt_driver_suite``.
"""

from __future__ import annotations

import nova.tests.unit  # isort: skip  # noqa: F401 - must be the first of Nova: it prepares the process

import contextlib
import subprocess
import types
import uuid
from typing import Any

import docker
from nova import context as nova_context
from nova import exception, objects, test
from nova.network import model
from nova.tests.fixtures import glance as glance_fixture
from nova.tests.unit import utils as nova_test_utils
from nova.tests.unit.virt import test_virt_drivers
from os_brick import exception as os_brick_exception

import sahara_docker.conf
from sahara_docker.nova import driver, records, volumes
from tests.functional.nova import environment

# Several such processes may run at once on one machine.
_HOST = f"nova-test-{uuid.uuid4().hex[:8]}"
_BRIDGE = f"nova-t-{uuid.uuid4().hex[:8]}"
_IMAGE = {**glance_fixture.GlanceFixture.image1, "id": str(uuid.uuid4()), "container_format": "docker"}
_get_test_network_info = nova_test_utils.get_test_network_info


def tearDownModule() -> None:
    environment.remove_image(_IMAGE["id"])


def _network_info(count: int = 1) -> model.NetworkInfo:
    """Nova's test network, bound to a Linux bridge and not to an Open vSwitch that is not there."""
    network_info = _get_test_network_info(count)
    for vif in network_info:
        vif["id"] = str(uuid.uuid5(uuid.UUID(_IMAGE["id"]), vif["id"]))
        vif["devname"] = f"tap{vif['id'][:11]}"
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
        self.useFixture(environment.Bridge(_BRIDGE, ()))
        self.stub_out("nova.tests.fixtures.glance.GlanceFixture.image1", _IMAGE)
        self.stub_out("nova.tests.fixtures.glance.GlanceFixture.download", _download)
        self.stub_out("nova.tests.unit.utils.get_test_network_info", _network_info)
        self.addCleanup(self._remove_containers)
        super().setUp()
        volumes.prepare()
        self.addCleanup(subprocess.run, ["umount", volumes.base()], check=False)

    def _remove_containers(self) -> None:
        with contextlib.closing(docker.from_env()) as client:
            environment.remove_containers(client, _HOST)

    def _get_running_instance(self, obj: bool = True) -> Any:
        get_instance = nova_test_utils.get_test_instance

        def instance_of_our_image(*args: Any, **kwargs: Any) -> Any:
            instance = get_instance(*args, **kwargs)
            instance["image_ref"] = _IMAGE["id"]
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

    def test_attach_detach_volume(self) -> None:
        """The suite's volume is of a kind that only its fake drivers know; another attaches nothing of it."""
        instance, _ = self._get_running_instance()
        connection = {"driver_volume_type": "fake", "serial": "fake_serial", "data": {}}
        unknown = (exception.VolumeAttachFailed, os_brick_exception.InvalidConnectorProtocol)
        self.assertRaises(unknown, self.connection.attach_volume, None, connection, instance, "/dev/sda")

    test_attach_detach_different_power_states = test_attach_detach_volume

    def test_swap_volume(self) -> None:
        """The suite's version attaches such a volume first."""
        self.assertRaises(NotImplementedError, self.connection.swap_volume, None, {}, {}, None, "/dev/sda", 2)

    def test_rescue(self) -> None:
        """The suite's version rescues from an image without an id, as a volume has one."""
        instance, network_info = self._get_running_instance()
        image = objects.ImageMeta.from_dict(_IMAGE)
        self.connection.rescue(self.ctxt, instance, network_info, image, "", None)
        self.connection.unrescue(self.ctxt, instance)

    test_unrescue_rescued_instance = test_rescue


class RecordsTest(test.TestCase):
    """What the driver writes into Nova's database, here a real one of Nova's own tests."""

    def setUp(self) -> None:
        super().setUp()
        self.flags(host="host-1")
        self.admin = nova_context.get_admin_context()

    def _instance(self, **attributes: Any) -> objects.Instance:
        instance = objects.Instance(
            self.admin, uuid=str(uuid.uuid4()), host="host-1", user_id="u", project_id="p", **attributes
        )
        instance.create()
        return instance

    def test_trouble_is_a_fault_and_an_event_with_its_text(self) -> None:
        instance = self._instance()
        records.trouble(instance.uuid, "oom", "no memory is left")
        fault = objects.InstanceFault.get_latest_for_instance(self.admin, instance.uuid)
        self.assertEqual("no memory is left", fault.message)
        (action,) = objects.InstanceActionList.get_by_instance_uuid(self.admin, instance.uuid)
        (event,) = objects.InstanceActionEventList.get_by_action(self.admin, action.id)
        self.assertEqual(("oom", "Error"), (action.action, action.message))
        self.assertEqual(("Error", "no memory is left", "host-1"), (event.result, event.details, event.host))

    def test_trouble_while_nova_works_on_the_instance_or_after_it_is_nova_s(self) -> None:
        instance = self._instance(task_state="powering-off")
        for uuid_ in (instance.uuid, str(uuid.uuid4())):
            records.trouble(uuid_, "exit", "status 137")
            self.assertEqual(0, len(objects.InstanceActionList.get_by_instance_uuid(self.admin, uuid_)))

    def _service(self, **attributes: Any) -> None:
        service = objects.Service(self.admin, host="host-1", binary="nova-compute", topic="compute", **attributes)
        service.create()
        objects.ComputeNode(
            self.admin, service_id=service.id, host="host-1", hypervisor_hostname="host-1", uuid=str(uuid.uuid4()),
            vcpus=1, memory_mb=1, local_gb=1, vcpus_used=0, memory_mb_used=0, local_gb_used=0, hypervisor_type="docker",
            hypervisor_version=1, cpu_info="{}", cpu_allocation_ratio=1, ram_allocation_ratio=1,
            disk_allocation_ratio=1,
        ).create()  # fmt: skip

    def _disabled(self, in_service: bool) -> tuple[bool, str | None]:
        told: list[bool] = []
        virtapi = types.SimpleNamespace(
            update_compute_provider_status=lambda _context, _uuid, value: told.append(value)
        )
        records.set_in_service(virtapi, in_service, "the daemon is gone")
        service = objects.Service.get_by_compute_host(self.admin, "host-1")
        self.assertIn(told, ([], [in_service]))
        return service.disabled, service.disabled_reason

    def test_host_goes_out_of_service_and_comes_back(self) -> None:
        self._service(disabled=False)
        self.assertEqual((True, "AUTO: the daemon is gone"), self._disabled(False))
        self.assertEqual((False, None), self._disabled(True))

    def test_operator_s_decision_stays(self) -> None:
        self._service(disabled=True, disabled_reason="maintenance")
        for in_service in (False, True):
            self.assertEqual((True, "maintenance"), self._disabled(in_service))

    def test_host_at_its_first_start_has_no_record(self) -> None:
        records.set_in_service(None, True)

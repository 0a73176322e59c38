# SPDX-License-Identifier: Apache-2.0
"""An instance from spawn to destroy, in real containers."""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from typing import Any

import docker.errors
import testtools
from nova import exception
from nova.compute import power_state
from nova.network import model
from testtools import matchers

from sahara_docker.nova import hypervisor
from tests.functional.nova import environment
from tests.unit.nova import neutron


class LifeCycleTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.compute = self.useFixture(environment.Compute())
        self.driver = self.compute.driver
        self.image = self.compute.node_image()

    def spawned(self, **extra_specs: str) -> Any:
        instance = self.compute.instance(self.image, **extra_specs)
        self.compute.spawn(instance, self.image)
        return instance

    def state(self, instance: Any) -> int:
        return self.driver.get_info(instance).state

    def test_spawn_lists_and_destroy_leaves_nothing(self) -> None:
        instance = self.spawned()
        self.assertEqual(
            ([instance.name], [instance.uuid]), (self.driver.list_instances(), self.driver.list_instance_uuids())
        )
        self.assertTrue(self.driver.instance_exists(instance))
        self.assertEqual(power_state.RUNNING, self.state(instance))
        self.driver.destroy(self.compute.context, instance, [])
        self.assertEqual([], self.driver.list_instances())
        self.assertFalse(self.driver.instance_exists(instance))
        self.assertRaises(exception.InstanceNotFound, self.driver.get_info, instance)
        self.assertThat(os.path.join(self.compute.directory, instance.uuid), matchers.Not(matchers.PathExists()))
        self.assertRaises(docker.errors.NotFound, self.compute.daemon.volumes.get, f"nova-{instance.uuid}-data")

    def test_destroy_is_content_with_anything(self) -> None:
        never_made = self.compute.instance(self.image)
        self.driver.destroy(self.compute.context, never_made, [])
        instance = self.spawned()
        self.compute.container(instance).remove(force=True)
        self.driver.destroy(self.compute.context, instance, [])
        self.driver.destroy(self.compute.context, instance, [])
        self.assertEqual([], self.driver.list_instances())

    def test_containers_of_others_are_not_counted(self) -> None:
        other = self.useFixture(environment.Compute())
        instance = self.compute.instance(self.image)
        other.spawn(instance, other.node_image())
        self.assertEqual([instance.uuid], other.driver.list_instance_uuids())
        self.assertEqual([], self.driver.list_instance_uuids())

    def test_second_spawn_is_refused_and_leaves_the_first_alone(self) -> None:
        instance = self.spawned()
        self.assertRaises(exception.InstanceExists, self.compute.spawn, instance, self.image)
        self.assertEqual(power_state.RUNNING, self.state(instance))

    def test_spawn_without_power_on(self) -> None:
        instance = self.compute.instance(self.image)
        self.compute.spawn(instance, self.image, power_on=False)
        self.assertEqual(power_state.SHUTDOWN, self.state(instance))
        self.driver.power_on(self.compute.context, instance, [])
        self.assertEqual(power_state.RUNNING, self.state(instance))

    def test_power_off_on_and_reboots_keep_the_data(self) -> None:
        instance = self.spawned()
        self.compute.run(instance, "echo kept > /mnt/file; echo kept > /root/file; echo 10.0.0.9 other >> /etc/hosts")
        self.driver.power_off(instance, timeout=5)
        self.assertEqual(power_state.SHUTDOWN, self.state(instance))
        self.driver.power_on(self.compute.context, instance, [], share_info=[])
        for kind in ("SOFT", "HARD"):
            self.driver.reboot(self.compute.context, instance, [], kind)
            self.assertEqual(power_state.RUNNING, self.state(instance))
        self.assertEqual("kept\nkept\n", self.compute.run(instance, "cat /mnt/file /root/file"))
        self.assertIn("10.0.0.9 other", self.compute.run(instance, "cat /etc/hosts"))

    def test_reboot_of_a_paused_and_of_a_stopped_instance(self) -> None:
        instance = self.spawned()
        self.driver.pause(instance)
        self.driver.reboot(self.compute.context, instance, [], "HARD")
        self.assertEqual(power_state.RUNNING, self.state(instance))
        self.driver.power_off(instance)
        self.driver.reboot(self.compute.context, instance, [], "HARD")
        self.assertEqual(power_state.RUNNING, self.state(instance))

    def test_pause(self) -> None:
        instance = self.spawned()
        self.driver.pause(instance)
        self.assertEqual(power_state.PAUSED, self.state(instance))
        self.driver.unpause(instance)
        self.driver.unpause(instance)
        self.assertEqual(power_state.RUNNING, self.state(instance))

    def test_names_are_set_at_creation(self) -> None:
        instance = self.compute.instance(self.image, hostname="worker-1")
        self.compute.spawn(instance, self.image)
        out = self.compute.run(instance, "hostname; hostname -f; getent hosts worker-1; cat /etc/resolv.conf")
        self.assertEqual(["worker-1", "worker-1.novalocal"], out.splitlines()[:2])
        self.assertIn("options timeout:1 attempts:1", out)
        # What an engine does to bring the names of a cluster; /etc/hosts is a mount point and cannot be replaced.
        self.compute.run(
            instance, "echo 10.0.0.9 master > /tmp/hosts && cp /tmp/hosts /etc/hosts && getent hosts master"
        )

    def test_limits_are_the_flavor_s(self) -> None:
        instance = self.spawned(docker__ulimits="nofile=2000:3000", docker__pids_limit="321")
        limits = self.compute.container(instance).attrs["HostConfig"]
        self.assertEqual((512 << 20, 512 << 20), (limits["Memory"], limits["MemorySwap"]))
        self.assertEqual((2048, 321, 256 << 20), (limits["CpuShares"], limits["PidsLimit"], limits["ShmSize"]))
        # What the instance's own processes inherit. A command of `docker exec` may see the hard limit in both places:
        # runc before 1.1.13 sets the soft one while Go's start is raising it (opencontainers/runc#4195).
        open_files = self.compute.run(instance, "grep '^Max open files' /proc/1/limits")
        self.assertEqual(["2000", "3000"], open_files.split()[3:5])

    def test_limits_above_the_machine_s_are_lowered_and_do_not_fail(self) -> None:
        instance = self.spawned(docker__ulimits="nofile=1073741816,memlock=-1,nproc=-1")
        self.assertEqual(power_state.RUNNING, self.state(instance))

    def test_nothing_is_privileged(self) -> None:
        instance = self.spawned()
        for name in (f"nova-{instance.uuid}", f"nova-{instance.uuid}-sandbox"):
            config = self.compute.daemon.containers.get(name).attrs["HostConfig"]
            self.assertEqual((False, None), (config["Privileged"], config["CapAdd"]))
        # The sandbox runs the tenant's program, so it has nothing at all.
        self.assertEqual((["ALL"], True, 16), (config["CapDrop"], config["ReadonlyRootfs"], config["PidsLimit"]))
        self.assertEqual((32 << 20, 32 << 20), (config["Memory"], config["MemorySwap"]))

    def test_environment_data_path_and_init_are_options(self) -> None:
        options = {"environment": ["http_proxy=http://p:3128", "no_proxy=a,b"], "data_path": "/srv", "init": True}
        compute = self.useFixture(environment.Compute(**options))
        image = compute.node_image()
        instance = compute.instance(image)
        compute.spawn(instance, image)
        self.assertEqual("http://p:3128 a,b\n", compute.run(instance, "echo $http_proxy $no_proxy"))
        self.assertIn(" /srv ", compute.run(instance, "cat /proc/mounts"))
        self.assertTrue(compute.container(instance).attrs["HostConfig"]["Init"])

    def test_console_is_what_nova_can_encode(self) -> None:
        instance = self.spawned()
        self.compute.run(instance, "echo 'grüße €' > /proc/1/fd/1")
        console = self.driver.get_console_output(self.compute.context, instance)
        self.assertIn("grüße €", console.encode("latin-1").decode("utf-8"))

    def test_password_of_root(self) -> None:
        instance = self.spawned()
        before = self.compute.run(instance, "grep ^root: /etc/shadow")
        self.driver.set_admin_password(instance, "new:pass'word")
        after = self.compute.run(instance, "grep ^root: /etc/shadow")
        self.assertNotEqual(before, after)
        program = "exit(crypt($ARGV[0], $ARGV[1]) ne $ARGV[1])"
        encrypted = after.split(":")[1]
        status, _ = self.compute.container(instance).exec_run(["perl", "-e", program, "new:pass'word", encrypted])
        self.assertEqual(0, status)
        self.driver.power_off(instance)
        self.assertRaises(exception.InstanceNotRunning, self.driver.set_admin_password, instance, "x")

    def test_password_of_a_user_that_is_not_there(self) -> None:
        instance = self.compute.instance(self.image)
        instance.system_metadata = {"image_os_admin_user": "nobody-here"}
        self.compute.spawn(instance, self.image)
        error = self.assertRaises(hypervisor.DaemonError, self.driver.set_admin_password, instance, "secret")
        self.assertIn("nobody-here", str(error))
        self.assertNotIn("secret", str(error))

    def test_resources_are_the_machine_s(self) -> None:
        found = self.driver.get_available_resource(self.compute.host)
        self.assertEqual(os.cpu_count(), found["vcpus"])
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
        self.assertEqual(total, found["memory_mb"])
        self.assertThat(found["local_gb"], matchers.GreaterThan(0))
        self.assertThat(found["hypervisor_version"], matchers.GreaterThan(1_000_000))

    def test_inventory_in_placement(self) -> None:
        from nova.compute import provider_tree

        environment.CONF.set_override("reserved_host_memory_mb", 700)
        environment.CONF.set_override("cpu_allocation_ratio", 4.0)
        tree = provider_tree.ProviderTree()
        tree.new_root("node", str(uuid.uuid4()))
        self.driver.update_provider_tree(tree, "node")
        inventory = tree.data("node").inventory
        self.assertEqual((os.cpu_count(), 4.0), (inventory["VCPU"]["total"], inventory["VCPU"]["allocation_ratio"]))
        self.assertEqual(700, inventory["MEMORY_MB"]["reserved"])
        self.assertIn("CUSTOM_HYPERVISOR_DOCKER", tree.data("node").traits)

    def test_uptime_is_readable(self) -> None:
        self.assertIn(" up ", self.driver.get_host_uptime())


class FailureTest(testtools.TestCase):
    def test_daemon_that_does_not_answer_is_named_at_start(self) -> None:
        missing = "unix:///nonexistent/docker.sock"
        compute = self.useFixture(environment.Compute())
        environment.CONF.set_override("host", missing, group="docker")
        driver = type(compute.driver)(compute.virtapi)
        error = self.assertRaises(hypervisor.DaemonError, driver.init_host, "h")
        self.assertIn(missing, str(error))
        self.assertIn("[docker] host", str(error))

    def test_option_that_makes_no_sense_is_named_at_start(self) -> None:
        compute = self.useFixture(environment.Compute())
        environment.CONF.set_override("ulimits", ["nofile"], group="docker")
        self.assertIn("nofile", str(self.assertRaises(ValueError, compute.driver.init_host, "h")))

    def test_failed_start_leaves_nothing(self) -> None:
        compute = self.useFixture(environment.Compute(sandbox_command=["/not/in/the/image"]))
        image = compute.node_image()
        instance = compute.instance(image)
        error = self.assertRaises(hypervisor.DaemonError, compute.spawn, instance, image)
        self.assertIn("sandbox_command", str(error))
        self.assert_nothing_is_left(compute, instance)

    def test_flavor_that_makes_no_sense_leaves_nothing(self) -> None:
        compute = self.useFixture(environment.Compute())
        image = compute.node_image()
        instance = compute.instance(image, docker__pids_limit="many")
        self.assertRaises(exception.InvalidInput, compute.spawn, instance, image)
        self.assert_nothing_is_left(compute, instance)

    def assert_nothing_is_left(self, compute: environment.Compute, instance: Any) -> None:
        self.assertEqual([], compute.driver.list_instances())
        self.assertEqual(
            [], os.listdir(compute.directory) and [f for f in os.listdir(compute.directory) if instance.uuid in f]
        )
        self.assertRaises(docker.errors.NotFound, compute.daemon.volumes.get, f"nova-{instance.uuid}-data")


class DiagnosticsTest(testtools.TestCase):
    def test_usage_is_the_container_s(self) -> None:
        compute = self.useFixture(environment.Compute())
        self.useFixture(environment.Bridge("nova-test-diag", ("10.94.0.1/24",)))
        image = compute.node_image()
        instance = compute.instance(image)
        port = neutron.port("nova-test-diag", neutron.subnet("10.94.0.0/24", "10.94.0.7"), mac="fa:16:3e:ee:00:07")
        instance.info_cache.network_info = model.NetworkInfo([port])
        compute.spawn(instance, image, instance.info_cache.network_info)
        # The instance's sshd greets whoever connects.
        greet = "for i in 1 2 3; do timeout 5 bash -c 'exec 3<>/dev/tcp/10.94.0.7/22; head -c 7 <&3'; done"
        for _ in range(100):
            if subprocess.run(["bash", "-c", greet], capture_output=True, check=False).stdout == b"SSH-2.0" * 3:
                break
            time.sleep(0.1)
        found = compute.driver.get_instance_diagnostics(instance)
        self.assertEqual(("running", "docker", 512), (found.state, found.hypervisor, found.memory_details.maximum))
        self.assertThat(found.memory_details.used, matchers.GreaterThan(0))
        self.assertThat(found.cpu_details[0].time, matchers.GreaterThan(0))
        (nic,) = found.nic_details
        self.assertEqual("fa:16:3e:ee:00:07", nic.mac_address)
        self.assertThat(nic.tx_octets, matchers.GreaterThan(100))
        flat = compute.driver.get_diagnostics(instance)
        self.assertEqual(("running", 512), (flat["state"], flat["memory"]))
        compute.driver.power_off(instance)
        self.assertEqual("shutdown", compute.driver.get_instance_diagnostics(instance).state)

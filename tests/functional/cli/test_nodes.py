# SPDX-License-Identifier: Apache-2.0
"""Checks of a cluster's nodes: two real instances of the Nova driver, in which one thing after the other is broken."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import Any, ClassVar

import fixtures
from nova.network import model

from sahara_docker.cli import cluster
from sahara_docker.cli.doctor import site as doctor_site
from tests.functional.nova import environment
from tests.unit.cli import doctoring
from tests.unit.nova import neutron

_BRIDGE = "doctor-test-br"
_ADDRESSES = {"node-1": "10.96.0.11", "node-2": "10.96.0.12"}
_MEMORY_MB = 512  # of the flavor of environment.Compute
_HOSTS = "127.0.0.1 localhost\n" + "".join(f"{a} {n}.novalocal {n}\n" for n, a in _ADDRESSES.items())


class NodesSite(doctor_site.Site):
    """A site whose cluster and flavors are the test's, for there is no cloud; the nodes are real."""

    document: ClassVar[dict[str, Any]] = {}
    login_user = "cdh"
    node_domain = "novalocal"
    flavors: ClassVar[dict[str, Any]] = {"f": {"ram": _MEMORY_MB}}

    @property
    def cluster(self) -> cluster.Cluster:
        return cluster.Cluster(self.document)


class Broken(fixtures.Fixture):
    """A node on which *breaking* was run, and *mending* is at the end."""

    def __init__(self, container: Any, breaking: str, mending: str) -> None:
        self._container, self._breaking, self._mending = container, breaking, mending

    def _setUp(self) -> None:
        self.addCleanup(self._run, self._mending)
        self._run(self._breaking)

    def _run(self, script: str) -> None:
        code, output = self._container.exec_run(["bash", "-c", script])
        assert code == 0, f"{script}: exit {code}: {output!r}"


class NodesTest(doctoring.DoctorTest):
    shared: ClassVar[fixtures.Fixture]
    root: ClassVar[str]
    containers: ClassVar[dict[str, Any]]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared = fixtures.Fixture()
        cls.shared.setUp()
        cls.addClassCleanup(cls.shared.cleanUp)
        cls.shared.useFixture(environment.Bridge(_BRIDGE, ("10.96.0.1/24",)))
        compute = cls.shared.useFixture(environment.Compute())
        cls.shared.addCleanup(environment.remove_image, environment.NODE_IMAGE_ID)
        image = compute.node_image()
        cls.containers = {}
        instances = []
        for number, (name, address) in enumerate(_ADDRESSES.items()):
            network = neutron.subnet("10.96.0.0/24", address, gateway="10.96.0.1")
            port = neutron.port(_BRIDGE, network, mac=f"fa:16:3e:aa:96:{number:02x}")
            instance = compute.instance(image, hostname=name)
            cls.shared.addCleanup(compute.driver.unplug_vifs, instance, [port])
            compute.spawn(instance, image, model.NetworkInfo([port]))
            cls.containers[name] = compute.container(instance)
            compute.run(instance, f"printf {shlex.quote(_HOSTS)} > /etc/hosts")
            instances.append(
                {"instance_name": name, "instance_id": instance.uuid, "management_ip": address, "internal_ip": address}
            )
        for container in cls.containers.values():  # as Sahara's plugin starts them
            container.exec_run("service cloudera-scm-agent start")
        cls.containers["node-1"].exec_run("service cloudera-scm-server-db start")
        group = {"name": "all", "node_processes": ["CLOUDERA_MANAGER", "HDFS_DATANODE"], "flavor_id": "f"}
        NodesSite.document = {
            "id": "c", "name": "c", "status": "Active", "plugin_name": "cdh_docker",
            "node_groups": [{**group, "instances": instances}],
        }  # fmt: skip
        cls.root = cls.shared.useFixture(fixtures.TempDir()).path
        Path(cls.root, "etc/nova").mkdir(parents=True)
        Path(cls.root, "etc/nova/nova.conf").write_text(
            f"[DEFAULT]\nhost = {compute.host}\n[docker]\nhost = {environment.docker_host()}\n"
        )
        time.sleep(1)  # for sshd

    def site(self):
        return NodesSite(root=self.root, environ={})

    def broken(self, breaking, mending, node="node-2"):
        self.useFixture(Broken(self.containers[node], breaking, mending))
        return self.site()

    def broken_file(self, path, change, node="node-2"):
        """Break by running *change* with the file's path as ``$f``; the file's content comes back at the end."""
        mend = f"[ -e /root/kept ] && cat /root/kept > {path} || rm -f {path}; rm -f /root/kept"
        return self.broken(f"f={path}; [ ! -e $f ] || cp $f /root/kept; {change}", mend, node)

    def test_nodes_as_they_should_be(self):
        site = self.site()
        self.assert_well("nodes.hostname", site)
        self.assert_well("nodes.hosts-file", site)
        self.assert_well("nodes.reverse-names", site)
        self.assert_well("nodes.reach", site)
        self.assert_well("nodes.clock", site)
        self.assert_well("nodes.addresses", site)
        self.assert_well("nodes.proxy", site)
        self.assert_well("nodes.login", site)
        self.assert_well("nodes.limits", site)
        self.assert_well("nodes.memory", site)
        self.assert_well("nodes.database", site)
        self.assert_well("nodes.agent", site)
        self.assert_well("nodes.agent-tmpfs", site)
        self.assert_well("nodes.executor", site)
        self.assert_well("nodes.zombies", site)
        self.assert_well("nodes.disk", site)
        self.assert_well("nodes.agent-filesystems", site)
        self.assert_well("nodes.identity", site)

    def test_hostname(self):
        site = self.broken_file("/etc/hosts", "sed 's/node-2.novalocal/other.example.org/' /root/kept > $f")
        self.assert_named("nodes.hostname", site, "node-2", "other.example.org")

    def test_hosts_file_without_a_node(self):
        site = self.broken_file("/etc/hosts", "grep -v node-1 /root/kept > $f")
        self.assert_named("nodes.hosts-file", site, "node-2: lacks node-1.novalocal")
        self.assert_named("nodes.reverse-names", site, "10.96.0.11 is unknown")

    def test_short_name_first(self):
        site = self.broken_file("/etc/hosts", r"sed -E 's/(node-1.novalocal) (node-1)/\2 \1/' /root/kept > $f")
        self.assert_named("nodes.reverse-names", site, "10.96.0.11 is node-1")

    def test_node_that_cannot_be_reached(self):
        site = self.broken_file("/etc/hosts", "sed 's/10.96.0.11/10.96.0.99/' /root/kept > $f")
        self.assert_named("nodes.reach", site, "node-2: node-1.novalocal:")

    def test_time_service_in_a_container(self):
        site = self.broken(
            "cp /bin/sleep /root/ntpd && (/root/ntpd 60 >/dev/null 2>&1 &)", "pkill -x ntpd; rm /root/ntpd"
        )
        self.assert_named("nodes.clock", site, "node-2: runs ntpd", "Enable NTP service")

    def test_address_that_sahara_does_not_know(self):
        site = self.site()
        document = {**NodesSite.document, "node_groups": [
            {**group, "instances": [{**one, "internal_ip": "10.96.0.77"} for one in group["instances"]]}
            for group in NodesSite.document["node_groups"]
        ]}  # fmt: skip
        site.document = document
        self.assert_named("nodes.addresses", site, "Sahara knows 10.96.0.77, it has 10.96.0.11")

    def test_proxy_between_the_nodes(self):
        site = self.broken_file("/etc/environment", "echo http_proxy=http://user:secret@proxy:3128 >> $f")
        finding = self.assert_named("nodes.proxy", site, "no_proxy lacks node-1.novalocal")
        self.assertNotIn("secret", str(finding))

    def test_sudo_that_asks_for_a_password(self):
        site = self.broken("mv /etc/sudoers.d/login-user /root/", "mv /root/login-user /etc/sudoers.d/")
        self.assert_named("nodes.login", site, "node-2: sudo without a password", "a password is required")

    def test_session_that_does_not_open(self):
        site = self.broken_file("/etc/pam.d/su", "sed '1i session requisite pam_deny.so' /root/kept > $f")
        self.assert_named("nodes.login", site, "node-2: no session")

    def test_limit_above_the_container_s(self):
        site = self.broken_file("/etc/security/limits.d/99-test.conf", "echo 'hdfs hard nofile 99999999' > $f")
        self.assert_named("nodes.limits", site, "hdfs hard nofile 99999999", "[docker] ulimits")

    def test_more_memory_than_the_flavor_has(self):
        container = self.containers["node-2"]
        self.addCleanup(container.update, mem_limit=_MEMORY_MB << 20, memswap_limit=_MEMORY_MB << 20)
        container.update(mem_limit=2 * _MEMORY_MB << 20, memswap_limit=2 * _MEMORY_MB << 20)
        self.assert_named("nodes.memory", self.site(), "node-2: limit 1024")

    def test_database_that_is_down(self):
        service = "service cloudera-scm-server-db"
        self.assert_named(
            "nodes.database", self.broken(f"{service} stop", f"{service} start", "node-1"), "does not run"
        )

    def test_agent_that_is_down(self):
        site = self.broken("service cloudera-scm-agent stop", "service cloudera-scm-agent start")
        self.assert_named("nodes.agent", site, "node-2: down", "clean_restart_confirmed")

    def test_agent_that_may_not_mount(self):
        log = "/var/log/cloudera-scm-agent/cloudera-scm-agent.log"
        site = self.broken_file(log, "echo 'ERROR mount of cm_processes failed: permission denied' >> $f")
        self.assert_named("nodes.agent-tmpfs", site, "node-2", "cm_processes failed")

    def test_executor_that_needs_control_groups(self):
        name = "org.apache.hadoop.yarn.server.nodemanager.LinuxContainerExecutor"
        text = f"<property><name>yarn.nodemanager.container-executor.class</name>\\n<value>{name}</value></property>"
        site = self.broken_file("/etc/hadoop/conf/yarn-site.xml", f"printf '{text}\\n' > $f")
        self.assert_named("nodes.executor", site, "LinuxContainerExecutor", "DefaultContainerExecutor")

    def test_swift_s_library(self):
        site = self.site()
        site.document = {**NodesSite.document, "cluster_configs": {"general": {"Enable Swift": True}}}
        self.assert_named("nodes.swift", site, "node-1: has none")
        jar = "/usr/lib/hadoop-mapreduce/hadoop-openstack.jar"
        for node in self.containers:
            self.broken(f"mkdir -p {jar.rpartition('/')[0]}; touch {jar}", f"rm {jar}", node)
        site = self.site()
        site.document = {**NodesSite.document, "cluster_configs": {"general": {"Enable Swift": True}}}
        self.assert_well("nodes.swift", site)

    def test_zombies(self):
        # Children of a process that never waits for them.
        script = "for i in {1..8}; do sleep 0.1 & done; exec sleep 20"
        site = self.broken(f"(bash -c {shlex.quote(script)} >/dev/null 2>&1 &) ; sleep 1", "pkill -x sleep || true")
        self.assert_named("nodes.zombies", site, "node-2: 8 zombies", "tini")

    def test_full_disk(self):
        # A whole disk cannot be filled on somebody's machine: /dev/shm stands for a node's data volume.
        site = self.broken(
            "head -c 250M /dev/zero > /dev/shm/filler; ln -s /dev/shm /dfs-full", "rm /dfs-full /dev/shm/filler"
        )
        self.assert_named("nodes.disk", site, "node-2: /dfs-full", "left")

    def storage(self, directory, node="node-2", cluster_id="CID-1", number="1"):
        lines = f"clusterID={cluster_id}\\ndatanodeUuid={number}\\nstorageType=DATA_NODE\\n"
        script = f"mkdir -p {directory}/current && printf '{lines}' > {directory}/current/VERSION"
        return self.broken(script, f"rm -r {directory}", node)

    def test_data_in_the_container_s_own_layer(self):
        site = self.storage("/dfs/dn")
        self.assert_named("nodes.data-volume", site, "node-2: /dfs/dn is in the container's own layer", "data_path")
        self.assert_named("nodes.agent-filesystems", site, "is on overlay", "local_filesystem_whitelist")

    def test_data_on_a_volume(self):
        site = self.storage("/mnt/dn")
        self.assert_well("nodes.data-volume", site)
        self.assert_well("nodes.agent-filesystems", site)

    def test_cloned_storage_and_agents(self):
        self.storage("/mnt/dn", "node-1")
        site = self.storage("/mnt/dn", "node-2")
        self.assert_well("nodes.cluster-id", site)
        self.assert_named("nodes.identity", site, "datanodeUuid=1: on node-1, node-2")
        uuid_file = "/var/lib/cloudera-scm-agent/uuid"
        for node in self.containers:
            site = self.broken_file(uuid_file, "echo same > $f", node)
        self.assert_named("nodes.identity", site, "agent uuid same: on node-1, node-2", uuid_file)

    def test_data_of_another_file_system(self):
        self.storage("/mnt/nn", "node-1")
        self.storage("/mnt/dn", "node-1", number="3")
        site = self.storage("/mnt/dn", "node-2", cluster_id="CID-2")
        self.assert_named("nodes.cluster-id", site, "node-2:/mnt/dn/current/VERSION: CID-2, the others have CID-1")

    def test_nodes_elsewhere(self):
        site = self.site()
        document = {**NodesSite.document, "node_groups": [{**NodesSite.document["node_groups"][0]}]}
        extra = {"instance_name": "node-9", "instance_id": "x", "management_ip": "10.96.0.19", "internal_ip": ""}
        document["node_groups"][0]["instances"] = [*document["node_groups"][0]["instances"], extra]
        site.document = document
        self.assertIn("1 on other compute hosts", self.examine("nodes.agent", site).result.looked_at)

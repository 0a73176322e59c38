# SPDX-License-Identifier: Apache-2.0
"""What Sahara sends lands in the daemons' files, and what the lab does not know is not lost."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import ClassVar

import sahara_plugin_cdh
import testtools

from lab.cloudera_manager.hadoop import launch, properties, render, settings, sizing, spark_properties
from lab.cloudera_manager.server import resources
from lab.cloudera_manager.server.errors import CommandFailed
from tests.unit.cloudera_manager import clusters

SCHEMA = Path(sahara_plugin_cdh.__file__).parent / "plugins/cdh/v5_13_0/resources"


def values(text: str) -> dict[str, str]:
    """The properties of a Hadoop configuration file."""
    root = ElementTree.fromstring(text)
    return {item.findtext("name") or "": item.findtext("value") or "" for item in root.iter("property")}


class RenderTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.model, self.cluster = clusters.small()

    def site(self, role_type, file, host=""):
        service, role = clusters.role(self.cluster, role_type, host)
        return values(render.role_files(self.cluster, service, role, self.model.hosts[role.host_id])[file])

    def set(self, role_type, **config):
        service, role = clusters.role(self.cluster, role_type)
        role.config.update(config)
        return service, role

    def test_what_sahara_sends_to_a_datanode(self):
        self.set(
            "DATANODE", dfs_data_dir_list="/volumes/disk1/fs/dn,/volumes/disk2/fs/dn", dfs_datanode_data_dir_perm="755",
            dfs_datanode_handler_count="30", dfs_datanode_du_reserved="123456",
        )  # fmt: skip
        site = self.site("DATANODE", "hdfs-site.xml")
        self.assertEqual("/volumes/disk1/fs/dn,/volumes/disk2/fs/dn", site["dfs.datanode.data.dir"])
        self.assertEqual("755", site["dfs.datanode.data.dir.perm"])
        self.assertEqual("30", site["dfs.datanode.handler.count"])
        self.assertEqual("123456", site["dfs.datanode.du.reserved"])

    def test_one_datanode_s_values_are_not_another_s(self):
        self.set("DATANODE", dfs_datanode_du_reserved="5")
        other = self.site("DATANODE", "hdfs-site.xml", clusters.WORKERS[1])
        self.assertNotEqual("5", other["dfs.datanode.du.reserved"])

    def test_a_group_s_value_holds_until_a_role_has_its_own(self):
        service, role = clusters.role(self.cluster, "DATANODE")
        service.groups[role.group].config["dfs_datanode_du_reserved"] = "7"
        self.assertEqual("7", self.site("DATANODE", "hdfs-site.xml")["dfs.datanode.du.reserved"])
        role.config["dfs_datanode_du_reserved"] = "8"
        self.assertEqual("8", self.site("DATANODE", "hdfs-site.xml")["dfs.datanode.du.reserved"])

    def test_a_service_s_values_reach_all_its_roles_and_clients(self):
        self.cluster.services["hdfs01"].config["dfs_replication"] = "2"
        found = [self.site(kind, "hdfs-site.xml")["dfs.replication"] for kind in ("NAMENODE", "DATANODE", "JOBHISTORY")]
        client = values(render.client_files(self.cluster, clusters.WORKERS[0])["hdfs-site.xml"])
        self.assertEqual(["2"] * 4, [*found, client["dfs.replication"]])

    def test_addresses_are_full_names_with_cdh_5_ports(self):
        self.assertEqual("hdfs://master.novalocal:8020", self.site("DATANODE", "core-site.xml")["fs.defaultFS"])
        self.assertEqual("master.novalocal:50070", self.site("NAMENODE", "hdfs-site.xml")["dfs.namenode.http-address"])
        self.assertEqual("w1.novalocal:8041", self.site("NODEMANAGER", "yarn-site.xml")["yarn.nodemanager.address"])
        history = self.site("OOZIE_SERVER", "mapred-site.xml")["mapreduce.jobhistory.address"]
        self.assertEqual("master.novalocal:10020", history)

    def test_a_port_that_was_set_is_used_by_everyone(self):
        self.set("NAMENODE", namenode_port="9000")
        self.assertEqual("hdfs://master.novalocal:9000", self.site("DATANODE", "core-site.xml")["fs.defaultFS"])
        service, role = clusters.role(self.cluster, "NAMENODE")
        self.assertIn({"tcp": ["master.novalocal", 9000]}, launch.probes(self.cluster, service, role))

    def test_a_nodemanager_gives_what_its_container_has_left(self):
        site = self.site("NODEMANAGER", "yarn-site.xml")
        self.assertEqual("512", site["yarn.nodemanager.resource.memory-mb"])
        self.model.hosts[clusters.WORKERS[0]].memory = 4 * clusters.GIB
        memory = int(self.site("NODEMANAGER", "yarn-site.xml")["yarn.nodemanager.resource.memory-mb"])
        self.assertTrue(2800 < memory < 4096, memory)

    def test_a_nodemanager_s_memory_as_set(self):
        self.set("NODEMANAGER", yarn_nodemanager_resource_memory_mb="1234", yarn_nodemanager_resource_cpu_vcores="3")
        site = self.site("NODEMANAGER", "yarn-site.xml")
        self.assertEqual("1234", site["yarn.nodemanager.resource.memory-mb"])
        self.assertEqual("3", site["yarn.nodemanager.resource.cpu-vcores"])

    def test_gateway_values_that_all_workers_share_reach_the_master(self):
        yarn = self.cluster.services["yarn01"]
        for gateway in yarn.roles_of("GATEWAY"):
            gateway.config.update(mapreduce_map_memory_mb="600", io_sort_mb=gateway.host_id)
        site = self.site("OOZIE_SERVER", "mapred-site.xml")
        self.assertEqual("600", site["mapreduce.map.memory.mb"])
        self.assertEqual("64", site["mapreduce.task.io.sort.mb"])

    def test_zero_means_that_hadoop_decides(self):
        self.cluster.services["yarn01"].roles_of("GATEWAY")[0].config["mapreduce_map_memory_mb"] = "0"
        client = values(render.client_files(self.cluster, clusters.WORKERS[0])["mapred-site.xml"])
        self.assertEqual("384", client["mapreduce.map.memory.mb"])

    def test_a_safety_valve_goes_into_its_file_and_wins(self):
        valve = "<property><name>fs.swift.impl</name><value>a &amp; b</value></property>"
        self.cluster.services["hdfs01"].config["core_site_safety_valve"] = valve
        override = "<property><name>dfs.datanode.du.reserved</name><value>9</value></property>"
        self.set("DATANODE", datanode_config_safety_valve=override, dfs_datanode_du_reserved="1")
        self.assertEqual("a & b", self.site("DATANODE", "core-site.xml")["fs.swift.impl"])
        self.assertEqual("9", self.site("DATANODE", "hdfs-site.xml")["dfs.datanode.du.reserved"])

    def test_a_safety_valve_that_is_no_xml_names_itself(self):
        self.cluster.services["hdfs01"].config["core_site_safety_valve"] = "<property>"
        error = self.assertRaises(CommandFailed, self.site, "NAMENODE", "core-site.xml")
        self.assertIn("core_site_safety_valve", str(error))

    def test_a_heap_and_options_reach_the_command_line(self):
        service, role = self.set(
            "NAMENODE", namenode_java_heapsize="134217728", namenode_java_opts="-XX:+UseParNewGC -Dx=y"
        )
        spec = launch.daemon(self.cluster, service, role, self.model.hosts[role.host_id], 1)
        self.assertIn("-Xmx134217728", spec["argv"])
        self.assertIn("-Dx=y", spec["argv"])
        # A flag of Java 8 must not keep a Java 17 from starting.
        self.assertIn("-XX:+IgnoreUnrecognizedVMOptions", spec["argv"])

    def test_directories_are_made_for_the_daemon_s_user(self):
        service, role = self.set("NODEMANAGER", yarn_nodemanager_local_dirs="/a/yarn,/b/yarn")
        spec = launch.daemon(self.cluster, service, role, self.model.hosts[role.host_id], 1)
        made = {entry["path"]: entry["user"] for entry in spec["directories"]}
        self.assertEqual(("yarn", "yarn"), (made["/a/yarn"], made["/b/yarn"]))

    def test_an_environment_safety_valve(self):
        service, role = self.set("NODEMANAGER", NODEMANAGER_role_env_safety_valve='http_proxy="http://p:3128"\n# no\n')
        self.assertEqual("http://p:3128", launch.environment(service, role)["http_proxy"])

    def test_formatting_is_skipped_where_a_namespace_exists(self):
        service, role = self.set("NAMENODE", dfs_name_dir_list="/v1/fs/nn,/v2/fs/nn")
        command = launch.format_name_node(self.cluster, service, role, self.model.hosts[role.host_id], 1)
        self.assertEqual(["/v1/fs/nn/current/VERSION", "/v2/fs/nn/current/VERSION"], command["unless_exists"])

    def test_a_list_of_hosts_makes_no_configuration_stale(self):
        service, role = clusters.role(self.cluster, "NAMENODE")
        host = self.model.hosts[role.host_id]
        before = render.role_files(self.cluster, service, role, host)
        clusters.role(self.cluster, "DATANODE")[1].commission = "DECOMMISSIONING"
        after = render.role_files(self.cluster, service, role, host)
        self.assertEqual("w1.novalocal\n", after[render.HDFS_EXCLUDES])
        self.assertEqual(render.digest(before), render.digest(after))

    def test_a_datanode_more_makes_no_configuration_stale(self):
        self.cluster.services["hdfs01"].config["dfs_replication"] = str(sizing.replication(self.cluster))
        service, role = clusters.role(self.cluster, "NAMENODE")
        host = self.model.hosts[role.host_id]
        before = render.digest(render.role_files(self.cluster, service, role, host))
        clusters.add(self.model, self.cluster, service, "DATANODE", clusters.MANAGER)
        self.assertEqual(before, render.digest(render.role_files(self.cluster, service, role, host)))

    def test_names_without_effect_are_told(self):
        service, role = self.set("DATANODE", dfs_datanode_du_reserved="1", dfs_thrift_timeout="60")
        service.config["smon_derived_configs_safety_valve_x"] = "1"
        expected = ["dfs_thrift_timeout", "smon_derived_configs_safety_valve_x"]
        self.assertEqual(expected, settings.not_applied(self.cluster, service, role))

    def make_highly_available(self):
        zookeeper = resources.new_service(self.cluster, {"name": "zookeeper01", "type": "ZOOKEEPER"})
        hdfs, yarn = self.cluster.services["hdfs01"], self.cluster.services["yarn01"]
        first, second = clusters.MASTER, clusters.WORKERS[0]
        for host in (first, second, clusters.WORKERS[1]):
            clusters.add(self.model, self.cluster, zookeeper, "SERVER", host)
            clusters.add(self.model, self.cluster, hdfs, "JOURNALNODE", host)
        clusters.add(self.model, self.cluster, hdfs, "NAMENODE", second)
        clusters.add(self.model, self.cluster, yarn, "RESOURCEMANAGER", second)
        for host in (first, second):
            clusters.add(self.model, self.cluster, hdfs, "FAILOVERCONTROLLER", host)
        for role in hdfs.roles_of("NAMENODE"):
            role.config.update(dfs_federation_namenode_nameservice="ns", autofailover_enabled="true")

    def test_two_namenodes_are_one_name_to_everybody(self):
        self.make_highly_available()
        for site in (self.site("DATANODE", "core-site.xml"), self.site("NODEMANAGER", "core-site.xml"),
                     values(render.client_files(self.cluster, clusters.WORKERS[1])["core-site.xml"])):  # fmt: skip
            self.assertEqual("hdfs://ns", site["fs.defaultFS"])
        site = self.site("FAILOVERCONTROLLER", "hdfs-site.xml", clusters.WORKERS[0])
        self.assertEqual("hdfs01_NAMENODE_master,hdfs01_NAMENODE_w1", site["dfs.ha.namenodes.ns"])
        self.assertEqual("w1.novalocal:8020", site["dfs.namenode.rpc-address.ns.hdfs01_NAMENODE_w1"])
        journals = "master.novalocal:8485;w1.novalocal:8485;w2.novalocal:8485"
        self.assertEqual(f"qjournal://{journals}/ns", site["dfs.namenode.shared.edits.dir"])
        self.assertEqual("hdfs01_NAMENODE_w1", site["dfs.ha.namenode.id"])
        self.assertNotIn("dfs.namenode.rpc-address", site)
        quorum = self.site("FAILOVERCONTROLLER", "core-site.xml")["ha.zookeeper.quorum"]
        self.assertEqual("master.novalocal:2181,w1.novalocal:2181,w2.novalocal:2181", quorum)

    def test_two_resourcemanagers_know_which_they_are(self):
        self.make_highly_available()
        site = self.site("RESOURCEMANAGER", "yarn-site.xml", clusters.WORKERS[0])
        self.assertEqual("yarn01_RESOURCEMANAGER_w1", site["yarn.resourcemanager.ha.id"])
        self.assertEqual("w1.novalocal:8032", site["yarn.resourcemanager.address.yarn01_RESOURCEMANAGER_w1"])
        self.assertNotIn("yarn.resourcemanager.ha.id", self.site("NODEMANAGER", "yarn-site.xml"))

    def test_a_zookeeper_server_has_its_number_where_it_looks_for_it(self):
        self.make_highly_available()
        for number, host in enumerate((clusters.MASTER, *clusters.WORKERS), 1):
            service, role = clusters.role(self.cluster, "SERVER", host)
            spec = launch.daemon(self.cluster, service, role, self.model.hosts[host], 1)
            (data,) = [entry for entry in spec["directories"] if "files" in entry]
            self.assertEqual(("/var/lib/zookeeper", {"myid": f"{number}\n"}), (data["path"], data["files"]))
            self.assertIn(f"server.{number}={host}:3181:4181\n", spec["files"]["zoo.cfg"])

    def test_kerberos_is_refused(self):
        self.cluster.services["hdfs01"].config["hadoop_security_authentication"] = "kerberos"
        self.assertIn("Kerberos", str(self.assertRaises(CommandFailed, self.site, "NAMENODE", "core-site.xml")))


class SchemaTest(testtools.TestCase):
    """Every name of our tables is one that the plugin's schema of CDH 5.13 has: a misspelt name would be ignored."""

    FILES: ClassVar[dict[str, str]] = {
        "NAMENODE": "hdfs-namenode", "SECONDARYNAMENODE": "hdfs-secondarynamenode", "DATANODE": "hdfs-datanode",
        "JOURNALNODE": "hdfs-journalnode", "FAILOVERCONTROLLER": "hdfs-failovercontroller",
        "RESOURCEMANAGER": "yarn-resourcemanager", "NODEMANAGER": "yarn-nodemanager", "JOBHISTORY": "yarn-jobhistory",
        "OOZIE_SERVER": "oozie-oozie_server", "SERVER": "zookeeper-server", "MASTER": "hbase-master",
        "REGIONSERVER": "hbase-regionserver", "KAFKA_BROKER": "kafka-kafka_broker",
        "HIVEMETASTORE": "hive-hivemetastore",
        "SPARK_YARN_HISTORY_SERVER": "spark-spark_yarn_history_server", "SPARK_ON_YARN": "spark",
    }  # fmt: skip

    def names(self, file):
        return {entry["name"] for entry in json.loads((SCHEMA / f"{file}.json").read_text())}

    def test_role_settings(self):
        for role_type, table in properties.ROLE.items():
            unknown = {setting.name for setting in table} - self.names(self.FILES[role_type])
            self.assertEqual(set(), unknown, role_type)

    def test_service_settings(self):
        for service_type, table in properties.SERVICE.items():
            unknown = {setting.name for setting in table} - self.names(
                f"{self.FILES.get(service_type, service_type.lower())}-service"
            )
            self.assertEqual(set(), unknown, service_type)

    def test_client_settings(self):
        for service_type, table in properties.CLIENT.items():
            unknown = {setting.name for setting in table} - self.names(
                f"{self.FILES.get(service_type, service_type.lower())}-gateway"
            )
            self.assertEqual(set(), unknown, service_type)

    def test_heaps_options_and_log_directories(self):
        for (_, role_type), daemon in launch.catalogue.DAEMONS.items():
            own = {daemon.heap[0], daemon.options, daemon.log_dir[0]} - {""}
            self.assertEqual(set(), own - self.names(self.FILES[role_type]), role_type)

    def test_safety_valves(self):
        known = set().union(*(self.names(path.stem) for path in SCHEMA.glob("*.json") if path.stem.count("-") == 1))
        self.assertEqual(set(), {*properties.SAFETY_VALVES, *spark_properties.VALVES} - known)

# SPDX-License-Identifier: Apache-2.0
"""The stand-in in real nodes: real daemons, driven by the plugin's own client with a CDH 5.13.0 cluster's requests.

One cluster is made once and the tests go through its life in the order of their names, as an operator would.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from typing import ClassVar

import pytest
import testtools
from sahara_plugin_cdh.plugins.cdh.client import services

from tests.functional.cloudera_manager.nodes import Finished, Nodes, client, wait_for

MANAGER, MASTER, FIRST, SECOND = "manager-0", "master-0", "worker-0", "worker-1"
DATA_MIB = 12

_CONFIG = {
    "NAMENODE": {"dfs_name_dir_list": "/fs/nn", "namenode_java_heapsize": 201326592},
    "SECONDARYNAMENODE": {"fs_checkpoint_dir_list": "/fs/snn"},
    "DATANODE": {
        "dfs_data_dir_list": "/fs/dn", "dfs_datanode_data_dir_perm": 755, "dfs_datanode_handler_count": 30,
        "dfs_datanode_du_reserved": "104857600",
    },
    "NODEMANAGER": {
        "yarn_nodemanager_local_dirs": "/yarn/local", "container_executor_banned_users": "bin",
        "yarn_nodemanager_resource_memory_mb": 1024,
    },
}  # fmt: skip

pytestmark = pytest.mark.timeout(1200)


class LifeOfAClusterTest(testtools.TestCase):
    nodes: ClassVar[Nodes]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.nodes = Nodes(MANAGER, MASTER, FIRST, SECOND)
        cls.nodes.setUp()
        cls.addClassCleanup(cls.nodes.cleanUp)
        cls.nodes[MANAGER].run("service cloudera-scm-server start")
        for name in (MANAGER, MASTER, FIRST):
            cls.nodes.start_agent(name, MANAGER)

    def setUp(self):
        super().setUp()
        self.api = client(self.nodes[MANAGER])
        self.master = self.nodes[MASTER]

    def service(self, name):
        return self.api.get_cluster("c1").get_service(name)

    def add_roles(self, service_name, node, *role_types):
        service = self.service(service_name)
        for role_type in role_types:
            role = service.create_role(
                f"{role_type}_{service_name}_{node.replace('-', '_')}", role_type, self.nodes[node].fqdn
            )
            role.update_config(_CONFIG.get(role_type, {}))

    def await_host(self, node):
        fqdn = self.nodes[node].fqdn
        wait_for(lambda: fqdn in [host.hostname for host in self.api.get_all_hosts("full")], what=f"host {fqdn}")

    def site(self, node, role_type, file):
        """The properties of the daemon that was started last."""
        text = self.nodes[node].run(
            f"cd /run/cloudera-scm-agent/process && cat $(ls -dv *-{role_type} | tail -n 1)/{file}"
        )
        root = ElementTree.fromstring(text)
        return {item.findtext("name"): item.findtext("value") for item in root.iter("property")}

    def hdfs(self, script):
        return self.master.run(script, user="hdfs")

    def health(self):
        return {name: found["summary"] for name, found in self.api.get_service_health_status("c1").items()}

    def test_1_create(self):
        for node in (MANAGER, MASTER, FIRST):
            self.await_host(node)
        manager = self.api.get_cloudera_manager()
        info = services.ApiServiceSetupInfo()
        for kind in ("SERVICEMONITOR", "HOSTMONITOR", "EVENTSERVER", "ALERTPUBLISHER"):
            info.add_role_info(f"{kind}_manager_0", kind, self.nodes[MANAGER].fqdn)
        manager.create_mgmt_service(info)
        Finished.well(manager.hosts_start_roles([self.nodes[MANAGER].fqdn]))
        cluster = self.api.create_cluster("c1", fullVersion="5.13.0")
        for name, kind in (("hdfs01", "HDFS"), ("yarn01", "YARN")):
            cluster.create_service(name, kind)
        self.service("hdfs01").update_config({"dfs_replication": 1, "core_site_safety_valve": ""})
        self.service("yarn01").update_config({"hdfs_service": "hdfs01"})
        self.add_roles("hdfs01", MASTER, "NAMENODE", "SECONDARYNAMENODE", "GATEWAY")
        self.add_roles("yarn01", MASTER, "RESOURCEMANAGER", "JOBHISTORY")
        self.add_roles("hdfs01", FIRST, "DATANODE", "GATEWAY")
        self.add_roles("yarn01", FIRST, "NODEMANAGER", "GATEWAY")
        Finished.well(self.api.get_cluster("c1").deploy_client_config())
        Finished.well(self.api.get_cluster("c1").first_run())
        self.assertEqual({"hdfs01": "GOOD", "yarn01": "GOOD"}, self.health())
        states = {role.type: role.roleState for name in ("hdfs01", "yarn01") for role in self.roles(name)}
        self.assertEqual("NA", states.pop("GATEWAY"))
        self.assertEqual({"STARTED"}, set(states.values()))

    def roles(self, service_name):
        service = self.service(service_name)
        kinds = ("NAMENODE", "SECONDARYNAMENODE", "DATANODE", "RESOURCEMANAGER", "JOBHISTORY", "NODEMANAGER", "GATEWAY")
        return [role for kind in kinds for role in service.get_roles_by_type(kind)]

    def test_2_what_was_sent_is_what_the_daemons_have(self):
        site = self.site(FIRST, "DATANODE", "hdfs-site.xml")
        self.assertEqual(("/fs/dn", "755", "30", "104857600"), tuple(site[f"dfs.datanode.{key}"] for key in (
            "data.dir", "data.dir.perm", "handler.count", "du.reserved",
        )))  # fmt: skip
        self.assertEqual(
            "1024", self.site(FIRST, "NODEMANAGER", "yarn-site.xml")["yarn.nodemanager.resource.memory-mb"]
        )
        self.assertIn("-Xmx201326592", self.master.run("ps ax -o args | grep [p]roc_namenode"))
        # The daemon's own word, not only its file's.
        jmx = self.nodes[FIRST].run("curl -fsS http://$(hostname -f):50075/conf?name=dfs.datanode.du.reserved")
        self.assertIn("104857600", jmx)
        users = self.master.run("ps ax -o user:20,args | grep [p]roc_ | awk '{print $1}' | sort -u").split()
        self.assertEqual(["hdfs", "mapred", "yarn"], users)

    def test_3_hdfs_directories_have_their_owners(self):
        listing = self.hdfs("hdfs dfs -ls -d /tmp /user /user/hdfs /user/history /tmp/logs")
        rows = {row.split()[-1]: row.split() for row in listing.splitlines() if row.startswith("d")}
        self.assertEqual(("drwxrwxrwt", "hdfs"), (rows["/tmp"][0], rows["/tmp"][2]))
        self.assertEqual("mapred", rows["/user/history"][2])
        self.assertEqual("hdfs", rows["/user/hdfs"][2])

    def test_4_a_mapreduce_job(self):
        self.hdfs(
            "seq 1 20000 | awk '{print $1 % 7}' > numbers && hdfs dfs -mkdir -p in && hdfs dfs -put -f numbers in/"
        )
        self.hdfs("hadoop jar /opt/hadoop/lib/hadoop-mapreduce-examples-*.jar wordcount in out")
        counted = self.hdfs("hdfs dfs -cat 'out/part*'").split()
        self.assertEqual({str(digit): (20000 - digit) // 7 + (digit > 0) for digit in range(7)},
                         dict(zip(counted[::2], map(int, counted[1::2]))))  # fmt: skip

    def test_5_a_daemon_that_dies_is_seen_and_a_datanode_comes_back(self):
        self.hdfs(f"head -c {DATA_MIB}M /dev/urandom > data && hdfs dfs -put -f data /user/hdfs/data")
        before = self.nodes[FIRST].run("pgrep -f [D]proc_datanode").split()[0]
        self.nodes[FIRST].run(f"kill -9 {before}")
        wait_for(lambda: self.health()["hdfs01"] != "GOOD", what="the DataNode's death in the health")
        wait_for(lambda: self.health()["hdfs01"] == "GOOD", what="the DataNode's return")
        self.master.run("kill -9 $(pgrep -f [D]proc_jobhistory)")
        wait_for(lambda: self.health()["yarn01"] == "BAD", what="the JobHistory server's death")
        (role,) = self.service("yarn01").get_roles_by_type("JOBHISTORY")
        self.assertEqual("STOPPED", role.roleState)
        (command,) = self.service("yarn01").start_roles(role.name)
        Finished.well(command)
        wait_for(lambda: self.health()["yarn01"] == "GOOD", what="YARN's health")

    def test_6_a_start_that_fails_tells_the_daemon_s_last_words(self):
        yarn = self.service("yarn01")
        (role,) = yarn.get_roles_by_type("JOBHISTORY")
        valve = "<property><name>mapreduce.jobhistory.store.class</name><value>NONSENSE</value></property>"
        role.update_config({"jobhistory_mapred_safety_valve": valve})
        self.assertEqual("STALE", self.service("yarn01").configStalenessStatus)
        command = Finished.anyhow(self.api.get_cluster("c1").restart(True, False))
        self.assertFalse(command.success)
        self.assertIn("Its last lines:", command.resultMessage)
        self.assertIn("NONSENSE", command.resultMessage)
        role.update_config({"jobhistory_mapred_safety_valve": None})
        (command,) = yarn.start_roles(role.name)
        Finished.well(command)

    def test_7_scale_up(self):
        self.nodes.start_agent(SECOND, MANAGER)
        self.await_host(SECOND)
        self.add_roles("hdfs01", SECOND, "DATANODE", "GATEWAY")
        self.add_roles("yarn01", SECOND, "NODEMANAGER", "GATEWAY")
        name_node = self.master.run("pgrep -f [D]proc_namenode")
        for service, role_type in (("hdfs01", "DATANODE"), ("yarn01", "NODEMANAGER")):
            role = f"{role_type}_{service}_worker_1"
            Finished.well(self.service(service).deploy_client_config(role))
            for command in self.service(service).start_roles(role):
                Finished.well(command)
            for worker in self.service(service).get_roles_by_type(role_type):
                for command in self.service(service).refresh(worker.name):
                    Finished.well(command)
        Finished.well(self.api.get_cluster("c1").restart(True, True))
        self.assertIn("Live datanodes (2)", self.hdfs("hdfs dfsadmin -report"))
        self.assertEqual(name_node, self.master.run("pgrep -f [D]proc_namenode"))

    def test_7_z_a_decommission_that_finds_no_room_can_be_taken_back(self):
        before = self.hdfs("hdfs dfs -cat /user/hdfs/data | md5sum")
        hdfs, leaving = self.service("hdfs01"), "DATANODE_hdfs01_worker_0"
        self.reserve(10**15)
        command = hdfs.decommission(leaving)
        wait_for(lambda: self.admin_state(FIRST) == "Decommission In Progress", what="the decommission's begin")
        command = Finished.anyhow(command.abort())
        self.assertFalse(command.success)
        Finished.well(hdfs._cmd("recommission", data=[leaving]))
        for command in hdfs.start_roles(leaving):
            Finished.well(command)
        wait_for(lambda: self.admin_state(FIRST) == "In Service", what="the DataNode's return")
        self.assertEqual(before, self.hdfs("hdfs dfs -cat /user/hdfs/data | md5sum"))
        self.reserve(None)

    def reserve(self, size):
        """Have the second DataNode keep that many bytes free; None for the default."""
        role = "DATANODE_hdfs01_worker_1"
        (found,) = [one for one in self.service("hdfs01").get_roles_by_type("DATANODE") if one.name == role]
        found.update_config({"dfs_datanode_du_reserved": size})
        Finished.well(self.api.get_cluster("c1").restart(True, False))

    def admin_state(self, node):
        """What the NameNode thinks of a DataNode."""
        page = "$(hostname -f):50070/jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo"
        (bean,) = json.loads(self.master.run(f'curl -fsS "http://{page}"'))["beans"]
        return json.loads(bean["LiveNodes"])[f"{self.nodes[node].fqdn}:50010"]["adminState"]

    def test_8_decommission_keeps_the_data(self):
        before = self.hdfs("hdfs dfs -cat /user/hdfs/data | md5sum")
        for service, role_type in (("hdfs01", "DATANODE"), ("yarn01", "NODEMANAGER")):
            role = f"{role_type}_{service}_worker_0"
            Finished.well(self.service(service).decommission(role))
            for name in (role, f"GATEWAY_{service}_worker_0"):
                self.service(service).delete_role(name)
        self.nodes[FIRST].container.stop(timeout=1)
        self.api.get_cluster("c1").remove_host(self.nodes[FIRST].fqdn)
        self.api.delete_host(self.nodes[FIRST].fqdn)
        Finished.well(self.api.get_cluster("c1").restart(True, True))
        self.assertEqual(before, self.hdfs("hdfs dfs -cat /user/hdfs/data | md5sum"))
        self.assertIn("is HEALTHY", self.hdfs("hdfs fsck /user/hdfs"))
        self.assertEqual({"hdfs01": "GOOD", "yarn01": "GOOD"}, self.health())

    def test_9_services_restart(self):
        """The agent's restart leaves the daemons alone; a clean restart restarts them; the server keeps its state."""
        before = self.master.run("pgrep -f [D]proc_ | sort")
        self.master.run("service cloudera-scm-agent restart")
        self.assertEqual(before, self.master.run("pgrep -f [D]proc_ | sort"))
        self.nodes[MANAGER].run("service cloudera-scm-server restart")
        self.assertEqual("c1", client(self.nodes[MANAGER]).get_cluster("c1").name)
        self.master.run("service cloudera-scm-agent clean_restart_confirmed")
        wait_for(lambda: self.health() == {"hdfs01": "GOOD", "yarn01": "GOOD"}, what="everything healthy again")
        self.assertEqual([], sorted(set(before.split()) & set(self.master.run("pgrep -f [D]proc_").split())))
        self.assertIn("/user/hdfs/data", self.hdfs("hdfs dfs -ls /user/hdfs"))
        self.master.run("service cloudera-scm-agent stop")
        status = self.master.run("service cloudera-scm-agent status; echo status $?", check=False)
        self.assertIn("status 3", status)

    def test_9z_an_agent_without_a_manager_says_what_to_write(self):
        worker = self.nodes[SECOND]
        config = "/etc/cloudera-scm-agent/config.ini"
        worker.run(f"service cloudera-scm-agent stop; sed -i 's/server_host=.*/server_host=/' {config}")
        answer = worker.run("service cloudera-scm-agent start; echo status $?", check=False)
        self.assertIn("server_host=<manager>", answer)
        self.assertIn("status 1", answer)

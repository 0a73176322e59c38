# SPDX-License-Identifier: Apache-2.0
"""A cluster that is made by clicking in Horizon, in a real browser, as ``docs/horizon.md`` says.

The tests go through the life of one cluster: their names give the order, and the first failure ends the run.
"""

from __future__ import annotations

from typing import ClassVar

import testtools
from testtools import matchers

from lab import cluster, rest
from tests.end_to_end import demo
from tests.end_to_end.demo import LAB
from tests.end_to_end.horizon import Horizon

TITLE = "Cloudera CDH on Docker"
#: All of HDFS and YARN on one node.
PROCESSES = (
    "CLOUDERA:CLOUDERA_MANAGER",
    "HDFS:HDFS_NAMENODE",
    "HDFS:HDFS_SECONDARYNAMENODE",
    "HDFS:HDFS_DATANODE",
    "YARN:YARN_RESOURCEMANAGER",
    "YARN:YARN_NODEMANAGER",
    "YARN:YARN_JOBHISTORY",
)
NODE, TEMPLATE, CLUSTER = "all-in-one", "small", "clicked"
HEAP = str(192 * 2**20)
PLUGINS, CLUSTERS = "/project/data_processing/data_plugins/", "/project/data_processing/clusters/"


def tab(name: str) -> str:
    return f"{CLUSTERS}?tab=cluster_tabs__{name}_tab"


class DashboardTest(testtools.TestCase):
    cloud: ClassVar[rest.Cloud]
    horizon: ClassVar[Horizon]
    #: Characters in Horizon's log before this test: the lab keeps what an earlier one has left there.
    logged: ClassVar[int]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        log = LAB.log / "horizon.log"
        cls.logged = len(log.read_text()) if log.exists() else 0
        status, output = demo.make("demo-up", "HORIZON=1")
        assert status == 0, output
        cls.cloud = rest.Cloud(LAB)
        cls.horizon = Horizon(LAB)
        cls.horizon.setUp()
        cls.addClassCleanup(cls.horizon.cleanUp)
        cls.addClassCleanup(cls.remove)

    @classmethod
    def remove(cls) -> None:
        """Remove what a failed test has left; templates after what was made of them."""
        cluster.delete(LAB, cls.cloud, CLUSTER)
        for kind, name in (("cluster-templates", TEMPLATE), ("node-group-templates", NODE)):
            for one in cls.cloud.get("sahara", f"/{kind}")[kind.replace("-", "_")]:
                if one["name"] == name:
                    cls.cloud.request("DELETE", "sahara", f"/{kind}/{one['id']}")

    def is_leaving(self) -> bool:
        found = cluster.find(self.cloud, CLUSTER)
        return found is None or found.status == "Deleting"

    def assert_no_errors(self) -> None:
        self.assertEqual([], self.horizon.errors())

    def choose_plugin(self, button: str, title: str, field: str) -> None:
        """Go through the form that asks for the plugin and its version to the one that it leads to."""
        self.horizon.open_form(button, title)
        self.horizon.choose("#id_plugin_name", TITLE)
        self.horizon.choose("#id_cdh_docker_version", "5.13.0")
        self.horizon.submit()
        self.horizon.await_form(title, field)
        self.assert_no_errors()

    def open_step(self, name: str) -> None:
        """Go to another page of the form that is open."""
        self.horizon.click(f'.modal.in .nav-pills a[data-target*="__{name}"]')

    def configure(self, search: str, name: str, value: str) -> None:
        """Find a config on the open page of the form and set it."""
        self.horizon.fill("fieldset.active input.field-filter", search)
        self.horizon.fill(f'[name="{name}"]', value)

    def test_01_the_plugin_and_its_versions_are_shown(self):
        self.horizon.go(PLUGINS)
        self.horizon.shown("#plugins")
        row = self.horizon.one('#plugins tr[data-object-id="cdh_docker"]').text
        for text in (TITLE, "with Cloudera Manager, on Docker containers", "5.7.0", "5.9.0", "5.11.0", "5.13.0"):
            self.assertThat(row, matchers.Contains(text))
        self.assert_no_errors()
        self.horizon.picture("plugins")
        self.horizon.follow("#plugins td a")
        self.assertThat(self.horizon.text(), matchers.Contains("Supported Versions"))
        self.assert_no_errors()

    def test_02_a_node_group_template(self):
        self.horizon.go(tab("node_group_templates"))
        title = "Create Node Group Template"
        self.choose_plugin("#nodegroup_templates__action_create", title, "#id_nodegroup_name")
        self.horizon.fill("#id_nodegroup_name", NODE)
        self.horizon.choose("#id_flavor", "cdh.master")
        self.open_step("selectnodeprocesses")
        for process in PROCESSES:
            self.horizon.click(f'input[name="processes"][value="{process}"]')
        self.horizon.picture("processes")
        self.open_step("namenode-")
        self.configure("java_heapsize", "CONF:NAMENODE:namenode_java_heapsize", HEAP)
        self.horizon.submit()
        self.horizon.await_message(f"Created Node Group Template {NODE}")
        self.assert_no_errors()
        made = self.cloud.get("sahara", "/node-group-templates")["node_group_templates"]
        made = next(one for one in made if one["name"] == NODE)
        self.assertEqual(sorted(one.split(":")[1] for one in PROCESSES), sorted(made["node_processes"]))
        # What was not touched is not sent.
        configs = {section: values for section, values in made["node_configs"].items() if values}
        self.assertEqual({"NAMENODE": {"namenode_java_heapsize": HEAP}}, configs)

    def test_03_a_cluster_template(self):
        self.horizon.go(tab("clusters_templates"))
        title = "Create Cluster Template"
        self.choose_plugin("#cluster_templates__action_create", title, "#id_cluster_template_name")
        self.horizon.fill("#id_cluster_template_name", TEMPLATE)
        self.open_step("configurenodegroups")
        self.horizon.choose("#template_id", NODE)
        self.horizon.click("#add_group_button")
        self.open_step("general-")
        self.horizon.picture("options")
        self.open_step("hdfs-")
        self.configure("replication", "CONF:HDFS:dfs_replication", "1")
        self.horizon.submit()
        self.horizon.await_message(f"Created Cluster Template {TEMPLATE}")
        self.assert_no_errors()

    def test_04_a_cluster_becomes_active(self):
        self.horizon.go(tab("clusters"))
        self.choose_plugin("#clusters__action_create", "Launch Cluster", "#id_cluster_name")
        self.horizon.fill("#id_cluster_name", CLUSTER)
        self.horizon.choose("#id_cluster_template", TEMPLATE)
        self.horizon.choose("#id_image", "cdh-5.13.0")
        self.horizon.choose("#id_neutron_management_network", "lab")
        self.horizon.picture("launch")
        self.horizon.submit()
        self.horizon.await_message(f"Launched Cluster {CLUSTER}")

        def settled() -> bool:
            row = self.horizon.one("#clusters tbody tr").text
            return "Active" in row or "Error" in row

        self.horizon.until(settled, "settled", timeout=400)
        row = self.horizon.one("#clusters tbody tr").text
        for text in (CLUSTER, "cdh_docker", "5.13.0", "Active"):
            self.assertThat(row, matchers.Contains(text))
        self.assert_no_errors()

    def test_05_it_is_healthy(self):
        path = f"/clusters/{cluster.find(self.cloud, CLUSTER).id}"

        def verified() -> dict | None:
            found = self.cloud.get("sahara", path)["cluster"]["verification"]
            return None if found.get("status") in (None, "CHECKING") else found

        found = self.horizon.until(verified, "verified")
        bad = [(one["name"], one["description"]) for one in found["checks"] if one["status"] != "GREEN"]
        self.assertEqual([], bad)
        self.horizon.until(lambda: "GREEN" in self.horizon.one("#clusters tbody tr").text, "shown: GREEN")
        self.horizon.picture("cluster")

    def test_06_its_page_shows_the_steps_and_the_nodes(self):
        self.horizon.go(tab("clusters"))
        self.horizon.follow("#clusters tbody td a")
        for name in ("configs_details_tab", "nodegroups_tab", "instances_tab", "health_checks"):
            self.horizon.click(f'a[data-target="#cluster_details__cluster_{name}"]')
            self.assert_no_errors()
        self.horizon.click('a[data-target="#cluster_details__cluster_event_log"]')
        self.horizon.until(lambda: self.horizon.all("#steps_body tr"), "shown: steps")
        steps = [one.text for one in self.horizon.all("#steps_body tr")]
        self.assertThat(len(steps), matchers.GreaterThan(4))
        for step in steps:
            self.assertThat(step, matchers.Contains("Completed"))
        self.assert_no_errors()
        self.horizon.picture("steps")

    def test_07_it_is_deleted(self):
        self.horizon.go(tab("clusters"))
        self.horizon.click("#clusters tbody .themable-checkbox label")
        self.horizon.click("#clusters__action_delete")
        self.horizon.click(".modal.in .btn-danger, .modal.in .btn-primary")
        self.horizon.until(self.is_leaving, "being deleted")
        # The list asks for each row again and again. To a question for a cluster that goes just then Sahara answers
        # with a text and the status 200, which sahara-dashboard cannot read.
        self.horizon.go(PLUGINS)
        self.horizon.until(lambda: cluster.find(self.cloud, CLUSTER) is None, "deleted")
        self.horizon.go(tab("clusters"))
        self.assertThat(self.horizon.text(), matchers.Contains("No items to display"))
        self.assert_no_errors()

    def test_08_horizon_itself_has_nothing_to_complain_of(self):
        said = (LAB.log / "horizon.log").read_text()[self.logged :]
        self.assertThat(said, matchers.Not(matchers.Contains("Traceback")))

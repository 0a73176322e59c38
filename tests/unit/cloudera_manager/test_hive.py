# SPDX-License-Identifier: Apache-2.0
"""Hive: who learns where its metastore and that one's database are."""

from __future__ import annotations

import testtools

from lab.cloudera_manager.hadoop import catalogue, launch, render
from lab.cloudera_manager.server import resources
from tests.unit.cloudera_manager import clusters
from tests.unit.cloudera_manager.test_render import values

FIRST, _ = clusters.WORKERS


class HiveTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.model, self.cluster = clusters.small()
        self.service = resources.new_service(self.cluster, {"name": "hive01", "type": "HIVE"})
        self.service.config.update(
            hive_metastore_database_host="10.0.0.9", hive_metastore_database_port="7432",
            hive_metastore_database_password="secret",
        )  # fmt: skip
        self.role = clusters.add(self.model, self.cluster, self.service, "HIVEMETASTORE", clusters.MASTER)

    def spec(self):
        return launch.daemon(self.cluster, self.service, self.role, self.model.hosts[clusters.MASTER], 1)

    def client(self, host=FIRST):
        return values(render.client_configuration(self.cluster, host)["/etc/hive/conf"]["hive-site.xml"])

    def test_clients_find_the_metastore_and_do_not_learn_its_password(self):
        self.role.config["hive_metastore_port"] = "9084"
        self.assertEqual("thrift://master.novalocal:9084", self.client()["hive.metastore.uris"])
        self.assertEqual("9084", values(self.spec()["files"]["hive-site.xml"])["metastore.thrift.port"])
        self.assertEqual([{"tcp": ["master.novalocal", 9084]}], self.spec()["probes"])
        self.assertNotIn("secret", str(render.client_configuration(self.cluster, clusters.MASTER)))
        self.assertEqual([], [name for name in self.client() if name.startswith("javax.jdo.")])

    def test_the_metastore_and_the_maker_of_its_tables_use_the_same_database(self):
        spec = self.spec()
        site = values(spec["files"]["hive-site.xml"])
        self.assertEqual("jdbc:postgresql://10.0.0.9:7432/metastore", site["javax.jdo.option.ConnectionURL"])
        self.assertEqual("secret", site["javax.jdo.option.ConnectionPassword"])
        variables = {
            "PGHOST": "10.0.0.9", "PGPORT": "7432", "PGDATABASE": "metastore", "PGUSER": "hive", "PGPASSWORD": "secret",
        }  # fmt: skip
        self.assertEqual(variables, {name: text for name, text in spec["env"].items() if name.startswith("PG")})
        kind = catalogue.DAEMONS["HIVE", "HIVEMETASTORE"]
        self.assertEqual([kind.wrapper, kind.main], [spec["argv"][0], spec["argv"][-1]])
        alone = launch.make_metastore_tables(self.service, self.role, 2)
        self.assertEqual([kind.wrapper, "true"], alone["argv"])
        self.assertEqual(spec["env"], alone["env"])

    def test_jobs_have_hive_s_jars_behind_those_of_every_job(self):
        every = values(render.client_files(self.cluster, FIRST)["mapred-site.xml"])["mapreduce.application.classpath"]
        self.assertEqual(f"{every},/opt/hive/lib/*", self.client()["mapreduce.application.classpath"])

    def test_what_is_set_lands_in_the_client_configuration(self):
        self.service.config.update(
            hive_warehouse_directory="/warehouse",
            hive_service_config_safety_valve="<property><name>a</name><value>b</value></property>",
        )
        client = self.client()
        for name in ("hive.metastore.warehouse.dir", "hive.metastore.warehouse.external.dir"):
            self.assertEqual("/warehouse", client[name])
        self.assertEqual("b", client["a"])

    def test_a_cluster_without_hive_has_no_configuration_of_it(self):
        del self.cluster.services["hive01"]
        self.assertNotIn("/etc/hive/conf", render.client_configuration(self.cluster, FIRST))

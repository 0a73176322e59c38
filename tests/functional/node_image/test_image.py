# SPDX-License-Identifier: Apache-2.0
"""What can be seen of the image without a network: its description, its init, its limits."""

from __future__ import annotations

import json
import time
import types
import uuid

import docker
import testtools
from sahara_plugin_cdh.plugins.cdh import deploy

from tests.functional.cdh_docker import node

PROCESSES = """
CLOUDERA_MANAGER HDFS_NAMENODE HDFS_SECONDARYNAMENODE HDFS_DATANODE JOURNALNODE
YARN_RESOURCEMANAGER YARN_STANDBYRM YARN_NODEMANAGER YARN_JOBHISTORY
HIVE_METASTORE HIVE_SERVER2 HUE_SERVER OOZIE_SERVER SPARK_YARN_HISTORY_SERVER ZOOKEEPER_SERVER
HBASE_MASTER HBASE_REGIONSERVER FLUME_AGENT SENTRY_SERVER SOLR_SERVER SQOOP_SERVER
IMPALA_CATALOGSERVER IMPALA_STATESTORE IMPALAD KMS
"""


class ImageTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client = docker.from_env()
        self.addCleanup(self.client.close)
        self.tag = node.required("SAHARA_DOCKER_TEST_IMAGE")

    def start(self, **options: object) -> docker.models.containers.Container:
        container = self.client.containers.create(
            self.tag, name=f"image-test-{uuid.uuid4().hex[:8]}", network_mode="none", **options
        )
        self.addCleanup(container.remove, force=True, v=True)
        container.start()
        self.await_log(container, "starting sshd")
        return container

    def run_in(self, container: docker.models.containers.Container, script: str) -> str:
        code, output = container.exec_run(["bash", "-c", script])
        self.assertEqual(0, code, f"{script}: {output.decode()}")
        return output.decode()

    def await_log(self, container: docker.models.containers.Container, text: str, times: int = 1) -> None:
        deadline = time.monotonic() + 60
        while container.logs().decode().count(text) < times:
            if time.monotonic() > deadline:
                self.fail(f"no {text!r} in the console log: {container.logs().decode()}")
            time.sleep(0.1)

    def await_true(self, container: docker.models.containers.Container, script: str) -> None:
        deadline = time.monotonic() + 60
        while container.exec_run(["bash", "-c", script])[0]:
            if time.monotonic() > deadline:
                self.fail(f"{script}: still failing; console log: {container.logs().decode()}")
            time.sleep(0.2)


class DescriptionTest(ImageTest):
    def test_the_password_is_nowhere_to_be_read(self) -> None:
        image = self.client.images.get(self.tag)
        password = node.required("SAHARA_DOCKER_TEST_PASSWORD")
        self.assertNotIn(password, json.dumps(image.attrs))
        self.assertNotIn(password, json.dumps(image.history()))
        self.assertNotIn("$6$", json.dumps(image.history()))
        container = self.start()
        shadow = self.run_in(container, "grep ^cdh: /etc/shadow")
        self.assertTrue(shadow.startswith("cdh:$6$"), shadow)
        self.assertNotIn(password, self.run_in(container, "cat /etc/passwd /etc/shadow /etc/environment; env"))
        self.run_in(container, "[[ ! -e /run/login ]]")

    def test_every_port_of_the_plugin_is_exposed(self) -> None:
        image = self.client.images.get(self.tag)
        exposed = {int(port.partition("/")[0]) for port in image.attrs["Config"]["ExposedPorts"]}
        wanted = set(deploy.get_open_ports(types.SimpleNamespace(node_processes=PROCESSES.split())))
        self.assertEqual(set(), {22, *wanted} - exposed)
        # The list above is ours; a process that the plugin does not know adds only the agent's port.
        for process in PROCESSES.split():
            self.assertNotEqual([9000], deploy.get_open_ports(types.SimpleNamespace(node_processes=[process])), process)

    def test_users_and_places_are_there(self) -> None:
        container = self.start()
        for user in ("hdfs", "yarn", "mapred", "oozie", "spark"):
            self.assertEqual("hadoop", self.run_in(container, f"id -gn {user}").strip())
            self.assertEqual("/bin/bash", self.run_in(container, f"getent passwd {user}").strip().split(":")[-1])
        self.run_in(container, "[[ -d /var/lib/oozie/ext-2.2 && -x /etc/init.d/cloudera-scm-server ]]")
        self.run_in(
            container,
            "[[ -x /opt/oozie/bin/oozie-server ]] && grep -q ^server_host= /etc/cloudera-scm-agent/config.ini",
        )


class InitTest(ImageTest):
    def test_each_node_has_host_keys_of_its_own_and_keeps_them(self) -> None:
        self.run_in_image("! ls /etc/ssh/ssh_host_*")
        first, second = self.start(), self.start()
        read = "cat /etc/ssh/ssh_host_ed25519_key.pub /etc/ssh/ssh_host_ecdsa_key.pub"
        key = self.run_in(first, read)
        self.assertNotEqual(key, self.run_in(second, read))
        first.restart(timeout=10)
        self.await_log(first, "starting sshd", times=2)
        self.assertEqual(key, self.run_in(first, read))

    def run_in_image(self, script: str) -> None:
        """Run *script* before the image's own init could."""
        name = f"image-test-{uuid.uuid4().hex[:8]}"
        self.client.containers.run(
            self.tag, ["-c", script], entrypoint="bash", network_mode="none", remove=True, name=name
        )

    def test_an_agent_s_identity_does_not_come_with_the_image(self) -> None:
        container = self.client.containers.create(
            self.tag,
            ["-c", "echo cloned >/var/lib/cloudera-scm-agent/uuid; exec /usr/local/sbin/node-init"],
            entrypoint="bash",
            network_mode="none",
            name=f"image-test-{uuid.uuid4().hex[:8]}",
        )
        self.addCleanup(container.remove, force=True, v=True)
        container.start()
        self.await_log(container, "starting sshd")
        self.run_in(container, "[[ ! -e /var/lib/cloudera-scm-agent/uuid ]]")

    def test_orphans_are_reaped(self) -> None:
        container = self.start()
        # The shell ends before its child does, so the child becomes init's.
        self.run_in(container, "sleep 0.2 & disown; exit 0")
        self.await_true(container, "! pgrep -x sleep")
        self.assertEqual("0", self.run_in(container, "ps -e -o stat= | grep -c ^Z || :").strip())

    def test_what_was_started_runs_again_after_a_crash(self) -> None:
        container = self.start()
        self.run_in(container, "service cloudera-scm-server-db start && service cloudera-scm-agent start")
        self.run_in(container, "service cloudera-scm-agent stop")
        password = self.run_in(container, "cat /var/lib/cloudera-scm-server-db/data/generated_password.txt")
        container.kill()
        container.start()
        self.await_log(container, "cloudera-scm-server-db: started again")
        self.run_in(container, "service cloudera-scm-server-db status && ! service cloudera-scm-agent status")
        again = self.run_in(container, "cat /var/lib/cloudera-scm-server-db/data/generated_password.txt")
        self.assertEqual(password, again)

    def test_stopping_ends_everything_well(self) -> None:
        container = self.start()
        self.run_in(container, "service cloudera-scm-server-db start")
        container.stop(timeout=30)
        self.assertEqual(0, container.wait(timeout=30)["StatusCode"])
        self.await_log(container, "node-init: stopped")
        container.start()
        self.await_log(container, "cloudera-scm-server-db: started again")
        log = self.run_in(container, "cat /var/log/cloudera-scm-server/db.log")
        self.assertIn("database system is shut down", log)
        self.assertNotIn("was not properly shut down", log)

    def test_health_names_what_does_not_run(self) -> None:
        container = self.start()
        self.run_in(container, "service cloudera-scm-server-db start && /usr/local/sbin/node-health")
        self.run_in(container, "pkill -QUIT -x -o postgres")
        self.await_true(container, "! /usr/sbin/service cloudera-scm-server-db status")
        code, output = container.exec_run("/usr/local/sbin/node-health")
        self.assertEqual((1, "cloudera-scm-server-db is not running\n"), (code, output.decode()))


class LimitsTest(ImageTest):
    def test_sessions_open_under_any_limit(self) -> None:
        ulimits = [
            docker.types.Ulimit(name="nofile", soft=1024, hard=2048),
            docker.types.Ulimit(name="nproc", soft=4000, hard=4096),
        ]
        container = self.start(ulimits=ulimits)
        # What CDH's packages bring, and what the image brings for itself.
        self.run_in(
            container, "printf 'hdfs - nofile 32768\nhdfs - nproc unlimited\n' >/etc/security/limits.d/hdfs.conf"
        )
        container.restart(timeout=10)
        self.await_log(container, "starting sshd", times=2)
        for user in ("hdfs", "yarn"):
            self.assertEqual("2048\n4096\n", self.run_in(container, f"su - {user} -c 'ulimit -n; ulimit -u'"))


class S3aTest(ImageTest):
    def test_the_connector_has_all_that_it_loads(self) -> None:
        """It gets as far as the store's address, where nothing listens."""
        options = {
            "endpoint": "http://127.0.0.1:9",
            "endpoint.region": "us-east-1",
            "access.key": "key",
            "secret.key": "secret",
            "attempts.maximum": "1",
            "retry.limit": "0",
        }
        words = " ".join(f"-Dfs.s3a.{name}={value}" for name, value in options.items())
        output = self.run_in(
            self.start(), f"! hadoop fs {words} -Dfs.s3a.path.style.access=true -ls s3a://bucket/ 2>&1"
        )
        self.assertIn("Connect to 127.0.0.1:9", output)
        self.assertNotIn("NoClassDefFoundError", output)

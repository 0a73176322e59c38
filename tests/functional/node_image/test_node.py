# SPDX-License-Identifier: Apache-2.0
"""A node as Sahara meets it: by SSH, over its own network."""

from __future__ import annotations

import socket

import testtools
from sahara_plugin_cdh.plugins.cdh import commands, db_helper

from tests.functional.cdh_docker import node
from tests.functional.node_image import logins


class Remote:
    """The few methods of Sahara's remote that the plugin's database steps use, over a login."""

    def __init__(self, login: logins.Login) -> None:
        self._login = login

    def execute_command(self, command: str, run_as_root: bool = False) -> tuple[int, str]:
        return 0, self._login.run(f"sudo {command}" if run_as_root else command)

    def append_to_file(self, path: str, text: str, run_as_root: bool = False) -> None:
        self._login.run(f"printf '%s\n' '{text}' | sudo tee -a {path}")

    def write_file_to(self, path: str, text: str) -> None:
        self._login.run(f"cat >{path} <<'END'\n{text}\nEND")


class NodeTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        network = self.useFixture(node.Network())
        self.node = self.useFixture(node.Node(network, "one.novalocal", memory="2g"))
        self.login = self.useFixture(logins.Login(self.node.address))

    def test_sudo_asks_no_resolver(self) -> None:
        # No answer comes from there, and the node's own name is nowhere but in its kernel.
        self.node.run("echo nameserver 192.0.2.1 >/etc/resolv.conf; echo 127.0.0.1 localhost >/etc/hosts")
        # A resolver that does not answer would cost five seconds for each try.
        self.assertEqual("0\n", self.login.run("timeout 4 sudo -n id -u"))
        self.assertEqual("one.novalocal\n", self.login.run("timeout 4 hostname"))

    def test_names_are_written_in_place(self) -> None:
        self.login.run("cp /etc/hosts hosts && echo 10.9.8.7 two.novalocal two >>hosts && sudo cp hosts /etc/hosts")
        self.assertIn("10.9.8.7", self.login.run("getent hosts two"))
        self.login.run("cat hosts | sudo sh -c 'cat >/etc/hosts' && echo 10.9.8.6 three | sudo tee -a /etc/hosts")
        self.assertIn("two.novalocal", self.login.run("getent hosts 10.9.8.7"))

    def test_the_proxy_reaches_every_command(self) -> None:
        self.login.run("echo 'http_proxy=http://proxy.example:3128' | sudo tee -a /etc/environment")
        login = self.useFixture(logins.Login(self.node.address))
        for command in ("env", "sudo env", "sudo bash -c env", "sudo su - -c env hdfs"):
            self.assertIn("http_proxy=http://proxy.example:3128", login.run(command).splitlines(), command)

    def test_hadoop_s_commands_are_on_everyone_s_path(self) -> None:
        for command in ("hdfs", "hadoop", "yarn", "mapred"):
            self.assertIn("Hadoop 3.5.0", self.login.run(f'sudo su - -c "{command} version" hdfs'), command)
        self.assertIn("Found", self.login.run("hadoop fs -ls /"))
        self.assertIn("unknown command: nonsense", self.login.run("hdfs nonsense", accept=1))

    def test_the_output_of_a_client_is_its_own(self) -> None:
        # Nothing of the JVM's, not even when the archive of classes does not fit the class path.
        self.assertEqual("134217728\n", self.login.run("hdfs getconf -confKey dfs.blocksize"))
        self.assertEqual("134217728\n", self.login.run("HADOOP_CLASSPATH=/tmp hdfs getconf -confKey dfs.blocksize"))

    def test_classes_are_shared(self) -> None:
        log = self.login.run(
            "HADOOP_OPTS=-Xlog:class+load=info:file=/tmp/classes hdfs getconf -confKey dfs.blocksize >/dev/null; "
            "grep -c 'org.apache.hadoop.*shared objects' /tmp/classes"
        )
        self.assertGreater(int(log), 100)

    def test_the_plugin_s_own_steps_on_the_database_work(self) -> None:
        remote = Remote(self.login)
        commands.start_cloudera_db(remote)  # start, a line in pg_hba.conf, restart
        db_helper.remote_execute_db_script(
            remote,
            "CREATE ROLE hive LOGIN PASSWORD 'word'; CREATE DATABASE metastore OWNER hive ENCODING 'UTF8';",
        )
        answer = f"PGPASSWORD=word psql -h {self.node.address} -p 7432 -U hive -d metastore -Atc 'SELECT 6 * 7'"
        self.assertEqual("42\n", self.login.run(answer))
        refused = answer.replace("PGPASSWORD=word", "PGPASSWORD=wrong")
        self.assertIn("password authentication failed", self.login.run(refused, accept=2))
        socket.create_connection((self.node.address, 7432), 5).close()

    def test_many_logins_at_once(self) -> None:
        logins_ = [self.useFixture(logins.Login(self.node.address)) for _ in range(20)]
        self.assertEqual({"cdh\n"}, {login.run("id -un") for login in logins_})


class NodesTest(testtools.TestCase):
    def test_two_nodes_share_no_secret(self) -> None:
        network = self.useFixture(node.Network())
        nodes = [self.useFixture(node.Node(network, f"{name}.novalocal", memory="1g")) for name in ("one", "two")]
        keys = {self.useFixture(logins.Login(one.address)).host_key for one in nodes}
        self.assertEqual(2, len(keys))
        file = "/var/lib/cloudera-scm-server-db/data/generated_password.txt"
        read = f"service cloudera-scm-server-db start && head -1 {file}"
        passwords = {one.run(read).splitlines()[-1] for one in nodes}
        self.assertEqual(2, len(passwords))
        self.assertTrue(all(len(password) == 16 for password in passwords), "too short")

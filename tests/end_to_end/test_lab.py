# SPDX-License-Identifier: Apache-2.0
"""The two commands as a newcomer types them, and the lab's bad days.

The tests stand on one another's lab, which is what makes them affordable: their names give the order, and the first
failure ends the run.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import testtools
from testtools import matchers

from lab import (
    client,
    cluster,
    control,
    docker_engine,
    installation,
    leftovers,
    network,
    preflight,
    registration,
    rest,
    settings,
    wordcount,
)
from tests.end_to_end.demo import LAB, await_demo, demo_cluster, in_container, make


def kill(service: str) -> None:
    """Kill a service and wait until the supervisor has brought it back."""
    victim = control.read(LAB)["services"][service]
    os.kill(victim["pid"], signal.SIGKILL)
    deadline = time.monotonic() + 90
    while True:
        now = control.read(LAB)["services"][service]
        if now["state"] == "up" and now["restarts"] > victim["restarts"]:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"{service} did not come back: {now}")
        time.sleep(0.5)


def left_behind() -> dict[str, list[str]]:
    """What no deleted cluster may leave."""
    cloud = rest.Cloud(LAB)
    label = f"label=nova.host={LAB.host}"
    return {
        "stacks": [one["stack_name"] for one in cloud.get("heat", "/stacks?show_hidden=true")["stacks"]],
        "trusts": [one["id"] for one in cloud.get("keystone", "/OS-TRUST/trusts")["trusts"]],
        "containers": docker_engine.client(docker_engine.host(LAB), "ps", "--all", "-q", "--filter", label).split(),
    }


NOTHING: dict[str, list[str]] = {"stacks": [], "trusts": [], "containers": []}


class LabTest(testtools.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        make("demo-down")  # other tests leave theirs to one another

    def assert_demo(self, *words: str) -> str:
        status, output = make("demo", *words)
        self.assertEqual(0, status, output)
        self.assertThat(output, matchers.Contains("equals a count made without Hadoop"))
        return output

    def test_01_demo_ends_with_a_word_count_that_is_right(self):
        self.assert_demo()
        made = demo_cluster()
        self.assertEqual("Active", made.status)
        jobs = rest.Cloud(LAB).get("sahara", "/job-executions")["job_executions"]
        self.assertEqual(["SUCCEEDED"], [job["info"]["status"] for job in jobs])

    def test_02_the_daemons_got_what_sahara_sent(self):
        made = demo_cluster()
        master, worker = made.node("master"), made.node("worker")
        commands = in_container(master, "ps", "-eo", "args")
        namenode = next(line for line in commands.splitlines() if line.rstrip().endswith(".NameNode"))
        asked = json.loads((settings.CHECKOUT / "examples/master-configs.json").read_text())
        heap = int(asked["NAMENODE"]["namenode_java_heapsize"])
        self.assertThat(namenode, matchers.MatchesRegex(rf".*-Xmx({heap}|{heap // 2**20}m)\b.*"))
        files = in_container(worker, "sh", "-c", "cat /run/cloudera-scm-agent/process/*-DATANODE/hdfs-site.xml")
        properties = dict(re.findall(r"<name>([^<]+)</name>\s*<value>([^<]*)</value>", files))
        self.assertEqual("2", properties["dfs.replication"])
        # Stock reserves 10 GB, which is all of a 10 GB volume.
        self.assertThat(int(properties["dfs.datanode.du.reserved"]), matchers.LessThan(2 * 2**30))
        # Blocks lie on the node's data volume, not in the container's root.
        blocks = properties["dfs.datanode.data.dir"].split(",")[0].removeprefix("file://")
        self.assertEqual("/mnt", in_container(worker, "stat", "--format=%m", blocks).strip())

    def test_03_nodes_know_each_other_by_name(self):
        made = demo_cluster()
        for node in made.nodes:
            for other in made.nodes:
                line = in_container(node, "getent", "hosts", other.fqdn).split()
                self.assertEqual([other.address, other.fqdn], line[:2], f"{other.fqdn} as {node.fqdn} sees it")

    def test_04_no_container_is_privileged(self):
        address = docker_engine.host(LAB)
        mine = docker_engine.client(address, "ps", "-q", "--filter", f"label=nova.host={LAB.host}").split()
        self.assertThat(mine, matchers.HasLength(8))  # a sandbox and a workload for each node
        for line in docker_engine.client(address, "inspect", "--format", "{{.HostConfig.Privileged}}", *mine).split():
            self.assertEqual("false", line)

    def test_05_a_second_demo_takes_the_cluster_that_is_there(self):
        before = demo_cluster().id
        output = self.assert_demo()
        self.assertThat(output, matchers.Contains("is there and answers"))
        self.assertEqual(before, demo_cluster().id)

    def test_06_a_killed_service_comes_back(self):
        for name in ("neutron", "nova-compute"):
            kill(name)
        self.assertThat(rest.Cloud(LAB).get("neutron", "/networks")["networks"], matchers.HasLength(1))
        self.assertTrue(demo_cluster().answers(), "a restart of nova-compute disturbed the containers")

    def test_06_b_a_scaling_that_dies_with_its_engine_is_undone(self):
        made, cloud = demo_cluster(), rest.Cloud(LAB)
        more = {"resize_node_groups": [{"name": "cdh-worker", "count": 3}]}
        cloud.request("PUT", "sahara", f"/clusters/{made.id}", more)
        await_demo(lambda one: one is not None and one.status == "Scaling: Spawning", "spawning")
        kill("sahara")
        await_demo(lambda one: one is not None and one.status in ("Active", "Error"), "settled")
        now = demo_cluster()
        self.assertThat(now.reason, matchers.Contains("ended while the cluster was Scaling: Spawning"))
        self.assertEqual("Active", now.status)
        self.assertEqual(sorted(node.name for node in made.nodes), sorted(node.name for node in now.nodes))
        self.assertTrue(now.answers())

    def test_06_c_a_deletion_that_dies_with_its_engine_comes_to_its_end(self):
        rest.Cloud(LAB).request("DELETE", "sahara", f"/clusters/{demo_cluster().id}")
        deleting = LAB.log / "sahara.log"
        await_demo(lambda one: one is not None and one.status == "Deleting", f"Deleting, see {deleting}")
        kill("sahara")
        await_demo(lambda one: one is None, "gone")
        self.assertEqual(NOTHING, left_behind())

    def test_06_d_a_creation_that_dies_with_its_engine_ends_in_error_and_can_be_deleted(self):
        command = f"dataprocessing cluster create --name {cluster.NAME} --cluster-template cdh-on-docker"
        place = ("--image", registration.IMAGE_NAME, "--neutron-network", settings.NETWORK_NAME)
        client.openstack(LAB, command, *place)
        await_demo(lambda one: one is not None and one.status == "Configuring", "Configuring")
        kill("sahara")
        await_demo(lambda one: one is not None and one.status == "Error", "in Error")
        self.assertThat(demo_cluster().reason, matchers.Contains("ended while the cluster was Configuring"))
        cluster.delete(LAB, rest.Cloud(LAB))
        self.assertEqual(NOTHING, left_behind())

    def test_07_a_killed_lab_is_taken_up_again(self):
        state = control.read(LAB)
        services = [state["services"][name]["pid"] for name in ("mariadb", "sahara", "nova-compute")]
        for pid in (state["pid"], *services):
            os.kill(pid, signal.SIGKILL)
        self.assert_demo("STORE=swift")
        self.assertNotEqual(state["pid"], control.read(LAB)["pid"])

    def test_07_b_an_object_store_was_added_and_a_job_has_its_program_and_its_data_there(self):
        variables = {**installation.client_environment(LAB), "PATH": f"{LAB.venv / 'bin'}:{os.environ['PATH']}"}
        variables["HADOOP_EXAMPLES_JAR"] = str(wordcount.examples_jar(LAB))
        done = subprocess.run(
            [settings.CHECKOUT / "examples/jobs/object-store/run.sh", cluster.NAME],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        self.assertEqual(0, done.returncode, done.stderr)
        expected = wordcount.count((settings.CHECKOUT / "LICENSE").read_bytes())
        lines = sorted(f"{word}\t{number}" for word, number in expected.items())
        self.assertEqual(lines, done.stdout.splitlines()[-len(lines) :])
        self.assertEqual([], rest.Cloud(LAB).get("keystone", "/credentials?type=ec2")["credentials"])

    def test_08_ports_answer_on_loopback_only_but_the_one_that_nodes_use(self):
        lines = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout.splitlines()
        pids = {f"pid={pid}," for pid in leftovers.find(LAB)}
        ours = [line.split()[3] for line in lines if any(pid in line for pid in pids)]
        self.assertThat(len(ours), matchers.GreaterThan(8))
        ours.remove(LAB.url("swift").removeprefix("http://"))
        for one in ours:
            self.assertThat(one, matchers.MatchesRegex(r"(127\.0\.0\.1|\[::1\]):"))

    def test_09_no_password_in_logs_or_arguments(self):
        passwords = [*LAB.secrets.values(), LAB.node_password]
        places = [
            *LAB.log.glob("*.log"),
            *LAB.node_image.glob("log/*.log"),
            *pathlib.Path("/proc").glob("[0-9]*/cmdline"),
        ]
        for path in places:
            with contextlib.suppress(OSError):  # a process that has ended
                content = path.read_bytes()
                for password in passwords:
                    self.assertNotIn(password.encode(), content, f"a password of the lab is in {path}")

    def test_09_the_databases_root_has_no_way_in_by_network(self):
        port = str(settings.PORTS["mariadb"])
        words = ["mariadb", "--no-defaults", "--user=root", "--protocol=tcp", "--host=127.0.0.1", f"--port={port}"]
        done = subprocess.run([*words, "--execute=select 1"], capture_output=True, text=True, timeout=20, check=False)
        self.assertNotEqual(0, done.returncode)
        self.assertThat(done.stderr, matchers.Contains("Access denied"))

    def test_10_down_leaves_nothing(self):
        status, output = make("demo-down")
        self.assertEqual(0, status, output)
        self.assertEqual([], leftovers.find(LAB))
        self.assertFalse(network.exists())
        mounts = [line.split()[1] for line in pathlib.Path("/proc/mounts").read_text().splitlines()]
        self.assertEqual([], [mount for mount in mounts if mount.startswith(f"{LAB.state}/")])
        rules = subprocess.run(["iptables", "-S"], capture_output=True, text=True, check=False).stdout
        self.assertNotIn("sahara-docker lab", rules)
        machine = docker_engine.machine_host()
        if machine:
            label = f"label=nova.host={LAB.host}"
            self.assertEqual("", docker_engine.client(machine, "ps", "--all", "--quiet", "--filter", label))
            self.assertEqual("", docker_engine.client(machine, "volume", "ls", "--quiet", "--filter", label))
        self.assertEqual("down", control.read(LAB)["phase"])

    def test_11_an_interrupt_leaves_nothing_running(self):
        process = subprocess.Popen(
            ["make", "--no-print-directory", "demo"],
            cwd=settings.CHECKOUT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        deadline = time.monotonic() + 120
        while "keystone" not in control.read(LAB)["services"] or not control.read(LAB)["steps"].get("keystone"):
            self.assertThat(time.monotonic(), matchers.LessThan(deadline))
            time.sleep(0.2)
        os.killpg(process.pid, signal.SIGINT)  # what a terminal sends on Ctrl-C
        output, _ = process.communicate(timeout=90)
        self.assertNotEqual(0, process.returncode)
        self.assertThat(output, matchers.Contains("error: interrupted"))
        self.assertEqual([], leftovers.find(LAB))

    def test_12_a_taken_port_is_one_clear_line(self):
        self.assertEqual(0, make("demo-down")[0])
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", settings.PORTS["sahara"]))
            taken.listen()
            status, output = make("demo", timeout=60)
        self.assertNotEqual(0, status)
        self.assertThat(output, matchers.Contains(f"{settings.PORTS['sahara']} (sahara) by"))
        self.assertEqual([], leftovers.find(LAB))
        for port in settings.PORTS.values():
            self.assertFalse(preflight.is_taken(port), f"something listens on {port}")

# SPDX-License-Identifier: Apache-2.0
"""The server's parts: state on disk, passwords, routes, commands, health."""

from __future__ import annotations

import pathlib
import threading
import time

import fixtures
import testtools

from lab.cloudera_manager.faults import Faults
from lab.cloudera_manager.server import health, passwords, resources
from lab.cloudera_manager.server.agents import Agents
from lab.cloudera_manager.server.commands import Commands, Step, Target
from lab.cloudera_manager.server.errors import ApiError, CommandFailed
from lab.cloudera_manager.server.model import Model
from lab.cloudera_manager.server.routing import Routes
from lab.cloudera_manager.server.store import Store
from tests.unit.cloudera_manager import clusters


class ServerTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.useFixture(fixtures.TempDir()).path) / "state.json"
        self.store = Store(self.path)


class StoreTest(ServerTestCase):
    def test_everything_survives_a_restart(self):
        model, cluster = clusters.small()
        service, role = clusters.role(cluster, "DATANODE")
        role.config["dfs_datanode_du_reserved"] = "5"
        service.retired["DATANODE"] = ["gone.novalocal"]
        with self.store.changing() as mine:
            mine.clusters, mine.hosts = model.clusters, model.hosts
        again = Store(self.path).model
        self.assertEqual(self.store.model, again)
        self.assertEqual("5", clusters.role(again.clusters["c1"], "DATANODE")[1].config["dfs_datanode_du_reserved"])

    def test_a_command_that_ran_has_failed(self):
        Commands(self.store, Faults(self.path.parent)).add("FirstRun", Target("c1"))
        (command,) = Store(self.path).model.commands.values()
        self.assertEqual((False, False), (command.active, command.success))
        self.assertIn("restarted", command.message)

    def test_a_file_that_is_no_state_is_left_alone(self):
        self.path.write_text("{half")
        error = self.assertRaises(ValueError, Store, self.path)
        self.assertIn(str(self.path), str(error))
        self.assertEqual("{half", self.path.read_text())

    def test_no_password_is_on_disk(self):
        salt, digest = passwords.digest("correct horse")
        self.store.model.users["admin"].salt, self.store.model.users["admin"].digest = salt, digest
        self.store.save()
        self.assertNotIn("correct horse", self.path.read_text())
        self.assertEqual(0o600, self.path.stat().st_mode & 0o777)


class PasswordTest(ServerTestCase):
    def test_login_and_change(self):
        users, gate = self.store.model.users, passwords.Gate()
        user = gate.by_password(users, "admin", "admin")
        assert user is not None
        self.assertIsNone(gate.by_password(users, "admin", "wrong"))
        self.assertIsNone(gate.by_password(users, "nobody", "admin"))
        token = gate.open_session(user)
        self.assertIs(user, gate.by_session(users, token))
        user.salt, user.digest = passwords.digest("new")
        self.assertIsNone(gate.by_password(users, "admin", "admin"))
        self.assertIsNone(gate.by_session(users, token))

    def test_headers(self):
        self.assertEqual(("admin", "a:b"), passwords.decode_basic("Basic YWRtaW46YTpi"))
        for header in ("", "Bearer YWRtaW46YTpi", "Basic !!!", "Basic YWRtaW4="):
            self.assertIsNone(passwords.decode_basic(header), header)


class RoutesTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.routes = Routes()
        self.routes.add("GET", "/clusters/{cluster}", since=3)(len)

    def test_found(self):
        self.assertEqual((len, {"cluster": "a.b"}), self.routes.find("GET", "/clusters/a.b", 8))

    def test_refusals(self):
        for method, path, version, code in (
            ("GET", "/clusters/a/b", 8, 404),
            ("POST", "/clusters/a", 8, 405),
            ("GET", "/clusters/a", 2, 404),
        ):
            error = self.assertRaises(ApiError, self.routes.find, method, path, version)
            self.assertEqual(code, error.code)


class CommandsTest(ServerTestCase):
    def setUp(self):
        super().setUp()
        self.commands = Commands(self.store, Faults(self.path.parent))

    def finish(self, command):
        return clusters.finished(self.store, command)

    def run_steps(self, *steps):
        def work(running):
            return " ".join(self.commands.run_steps(running, steps))

        return self.finish(self.commands.start("FirstRun", Target("c1"), work))

    def children(self, command):
        return [self.store.model.commands[number] for number in command.children]

    def test_steps_wait_for_what_they_need(self):
        order: list[str] = []

        def work(name):
            def run(running):
                order.append(name)
                return name

            return run

        steps = [
            Step("c", "Start", Target(), work("c"), ("b",)),
            Step("b", "Start", Target(), work("b"), ("a", "absent")),
            Step("a", "Start", Target(), work("a")),
        ]
        command = self.run_steps(*steps)
        self.assertTrue(command.success)
        self.assertEqual(["a", "b", "c"], order)
        self.assertEqual([True] * 3, [child.success for child in self.children(command)])

    def test_independent_steps_run_at_the_same_time(self):
        meeting = threading.Barrier(2, timeout=20)
        both = [Step(name, "Start", Target(), lambda running: str(meeting.wait() >= 0)) for name in "ab"]
        self.assertTrue(self.run_steps(*both).success)

    def test_a_failed_step_stops_those_after_it_and_tells_its_cause(self):
        def fail(running):
            raise CommandFailed("NAMENODE on master: disk full")

        done: list[str] = []

        def note(running):
            done.append("dn")
            return "started"

        steps = [Step("nn", "Start", Target(), fail), Step("dn", "Start", Target(), note, ("nn",))]
        command = self.run_steps(*steps)
        self.assertEqual((False, "NAMENODE on master: disk full", []), (command.success, command.message, done))

    def test_a_defect_ends_the_command(self):
        def defect(running):
            raise ZeroDivisionError("oops")

        command = self.finish(self.commands.start("Start", Target(), defect))
        self.assertFalse(command.success)
        self.assertIn("ZeroDivisionError", command.message)

    def test_abort(self):
        def work(running):
            running.wait(600)
            return "waited"

        command = self.commands.start("Start", Target(), work)
        self.commands.abort(command.id)
        self.assertEqual((False, "aborted"), (self.finish(command).success, command.message))

    def test_abort_of_what_is_not_there(self):
        self.assertEqual(404, self.assertRaises(ApiError, self.commands.abort, 99).code)


class ResourcesTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.model, self.cluster = clusters.small()
        self.hdfs = self.cluster.services["hdfs01"]

    def refused(self, function, *arguments):
        error = self.assertRaises(ApiError, function, *arguments)
        self.assertEqual(400, error.code)
        return error.message

    def new_role(self, **value):
        value = {"name": "x", "type": "DATANODE", "hostRef": {"hostId": clusters.MANAGER}, **value}
        return resources.new_role(self.model, self.cluster, self.hdfs, value)

    def test_a_role_brings_its_host_into_the_cluster(self):
        self.assertNotIn(clusters.MANAGER, self.cluster.host_ids)
        self.new_role()
        self.assertIn(clusters.MANAGER, self.cluster.host_ids)

    def test_role_refusals(self):
        self.assertIn("Host", self.refused(lambda: self.new_role(hostRef={"hostId": "nowhere"})))
        self.assertIn("not valid", self.refused(lambda: self.new_role(name="a b")))
        self.assertIn("not valid", self.refused(lambda: self.new_role(type="OOZIE_SERVER")))
        self.new_role()
        self.assertIn("in use", self.refused(self.new_role))

    def test_a_bad_change_changes_nothing(self):
        config = {"a": "1"}
        valve = {"name": "core_site_safety_valve", "value": "<property>"}
        self.refused(resources.change_config, config, {"items": [{"name": "a", "value": "2"}, valve]})
        self.assertEqual({"a": "1"}, config)

    def test_null_goes_back_to_the_default(self):
        config = {"a": "1"}
        resources.change_config(config, {"items": [{"name": "a", "value": None}, {"name": "b", "value": 7}]})
        self.assertEqual({"b": "7"}, config)

    def test_a_role_on_a_retired_host_takes_it_back(self):
        self.hdfs.retired["DATANODE"] = [clusters.MANAGER]
        self.new_role()
        self.assertEqual([], self.hdfs.retired["DATANODE"])

    def test_cluster_refusals(self):
        self.assertIn(
            "exists", self.refused(resources.new_cluster, self.model, {"name": "c1", "fullVersion": "5.13.0"})
        )
        self.assertIn("CDH", self.refused(resources.new_cluster, self.model, {"name": "c2"}))
        self.assertIn("'name'", self.refused(resources.new_cluster, self.model, {"fullVersion": "5.13.0"}))


class HealthTest(ServerTestCase):
    def setUp(self):
        super().setUp()
        self.store.model, self.cluster = clusters.small()
        self.agents = Agents(self.store)
        for host in self.store.model.hosts.values():
            host.last_heartbeat = time.time()
        for service in self.cluster.services.values():
            for role in service.roles.values():
                role.state = "NA" if role.type == "GATEWAY" else "STARTED"

    def of(self, name):
        return health.summary(health.service_checks(self.agents, self.cluster, self.cluster.services[name]))

    def test_good(self):
        self.assertEqual(["GOOD"] * 3, [self.of(name) for name in ("hdfs01", "yarn01", "oozie01")])

    def test_a_daemon_that_ended_is_bad_and_says_why(self):
        service, role = clusters.role(self.cluster, "NAMENODE")
        role.state, role.failure = "STOPPED", "ended with exit status 1"
        self.assertEqual("BAD", self.of("hdfs01"))
        checks = {check.name: check.explanation for check in health.service_checks(self.agents, self.cluster, service)}
        self.assertIn("exit status 1", checks["HDFS_NAMENODE_HEALTH"])

    def test_stopped_on_purpose_is_disabled(self):
        for role in self.cluster.services["hdfs01"].roles.values():
            role.state = "STOPPED"
        self.assertEqual("DISABLED", self.of("hdfs01"))

    def test_half_of_the_datanodes_is_bad(self):
        clusters.role(self.cluster, "DATANODE")[1].failure = "does not answer"
        self.assertEqual("BAD", self.of("hdfs01"))

    def test_a_silent_host_is_bad(self):
        self.store.model.hosts[clusters.MASTER].last_heartbeat -= 60
        self.assertEqual("BAD", self.of("oozie01"))

    def test_what_an_earlier_server_was_told_is_not_known(self):
        """All nodes may have started again at once; then nothing runs yet."""
        self.agents = Agents(self.store)
        self.assertEqual("BAD", self.of("hdfs01"))
        role = clusters.role(self.cluster, "NAMENODE")[1]
        (check,) = health.role_checks(self.agents, self.cluster.services["hdfs01"], role)
        self.assertIn(f"host {clusters.MASTER} does not answer", check.explanation)
        for name in self.store.model.hosts:
            self.agents.heartbeat({
                "hostname": name, "session": "s1", "ip": "192.0.2.7", "cores": 2, "memory": 2**30, "moment": 1,
                "processes": [],
            })  # fmt: skip
        self.assertEqual("GOOD", self.of("hdfs01"))

    def test_what_the_lab_does_not_have_is_never_good(self):
        hive = resources.new_service(self.cluster, {"name": "hive01", "type": "HIVE"})
        role = clusters.add(self.store.model, self.cluster, hive, "HIVESERVER2", clusters.MASTER)
        role.state = "STARTED"
        (check,) = health.role_checks(self.agents, hive, role)
        self.assertEqual("BAD", check.summary)
        self.assertIn("not available in the lab", check.explanation)

    def test_an_empty_service_has_none(self):
        self.cluster.services["oozie01"].roles.clear()
        self.assertEqual("NOT_AVAILABLE", self.of("oozie01"))


class AgentsTest(ServerTestCase):
    def setUp(self):
        super().setUp()
        self.store.model = Model()
        self.agents = Agents(self.store)

    def beat(self, session="s1", moment=1):
        return self.agents.heartbeat({
            "hostname": "n.novalocal", "session": session, "ip": "192.0.2.7", "cores": 2, "memory": 2**30,
            "moment": moment, "processes": [],
        })  # fmt: skip

    def test_registration_survives_a_restart(self):
        self.beat()
        self.assertEqual("192.0.2.7", Store(self.path).model.hosts["n.novalocal"].ip)

    def test_a_task_for_a_host_of_an_earlier_server_waits_for_its_agent(self):
        self.beat()
        self.agents = Agents(self.store)
        outcome = []
        work = threading.Thread(
            target=lambda: outcome.append(self.agents.perform("n.novalocal", "start", {}, timeout=30)), daemon=True
        )
        work.start()
        self.assertEqual([], self.agents.take_tasks("n.novalocal", "s1", 0.2))
        self.beat()
        (task,) = self.agents.take_tasks("n.novalocal", "s1", 10)
        self.agents.result({"id": task["id"], "moment": 2, "ok": True, "message": "runs", "log_tail": ""})
        work.join(10)
        self.assertEqual("runs", outcome[0]["message"])

    def test_a_host_of_an_earlier_server_that_stays_silent_is_refused(self):
        self.beat()
        self.useFixture(fixtures.MonkeyPatch("lab.cloudera_manager.server.agents.RETURN", 0.2))
        self.agents = Agents(self.store)
        error = self.assertRaises(CommandFailed, self.agents.perform, "n.novalocal", "start", {}, timeout=30)
        self.assertIn("host n.novalocal does not answer", str(error))

    def test_a_deleted_host_comes_back_only_with_a_new_agent(self):
        self.beat()
        self.store.model.deleted_agents.append("s1")
        self.assertEqual(410, self.assertRaises(ApiError, self.beat).code)
        self.beat("s2")

    def test_a_task_arrives_at_once_and_its_outcome_returns(self):
        self.beat()
        outcomes = []

        def ask():
            outcomes.append(self.agents.perform("n.novalocal", "stop", {"role": "r"}, timeout=20))

        asking = threading.Thread(target=ask)
        asking.start()
        (task,) = self.agents.take_tasks("n.novalocal", "s1", 20)
        self.assertEqual(("stop", {"role": "r"}), (task["kind"], task["payload"]))
        self.agents.result({"id": task["id"], "ok": True, "message": "stopped", "log_tail": "", "moment": 2})
        asking.join(20)
        self.assertEqual([{"ok": True, "message": "stopped", "log_tail": ""}], outcomes)

    def test_the_last_poll_of_an_agent_that_is_gone_takes_nothing(self):
        self.beat()
        taken = []
        gone = threading.Thread(target=lambda: taken.append(self.agents.take_tasks("n.novalocal", "s1", 20)))
        gone.start()
        self.beat("s2")
        gone.join(10)
        self.assertEqual([[]], taken)
        asking = threading.Thread(target=lambda: self.agents.perform("n.novalocal", "stop", {"role": "r"}, timeout=20))
        asking.start()
        (task,) = self.agents.take_tasks("n.novalocal", "s2", 20)
        self.agents.result({"id": task["id"], "ok": True, "message": "stopped", "log_tail": "", "moment": 2})
        asking.join(20)
        self.assertFalse(asking.is_alive())

    def test_a_host_that_is_not_there(self):
        error = self.assertRaises(CommandFailed, self.agents.perform, "x.novalocal", "stop", {}, timeout=1)
        self.assertIn("never registered", str(error))

    def test_an_aborted_task_is_not_sent(self):
        self.beat()
        aborted = threading.Event()
        aborted.set()
        self.assertRaises(CommandFailed, self.agents.perform, "n.novalocal", "stop", {}, timeout=9, aborted=aborted)
        self.assertEqual([], self.agents.take_tasks("n.novalocal", "s1", 0))

    def test_a_role_follows_its_daemon(self):
        self.store.model, cluster = clusters.small()
        _, role = clusters.role(cluster, "DATANODE")
        role.state, role.process_id = "STARTED", 4
        report = {
            "role": role.name, "process_id": 4, "failure": "ended with exit status 1", "log_tail": "disk full",
            "ha_status": "",
        }  # fmt: skip

        def beat(moment=1, **more):
            self.agents.heartbeat({
                "hostname": role.host_id, "session": "s", "ip": "192.0.2.7", "cores": 2, "memory": 2**30,
                "moment": moment, "processes": [{**report, **more}],
            })  # fmt: skip

        beat(state="EXITED")
        self.assertEqual(("STOPPED", "disk full"), (role.state, role.log_tail))
        beat(state="RUNNING", failure="")
        self.assertEqual(("STARTED", ""), (role.state, role.failure))
        beat(state="RUNNING", failure="", ha_status="STANDBY")
        self.assertEqual("STANDBY", role.ha_status)
        beat(state="RUNNING", failure="", process_id=3)
        self.assertEqual("STOPPED", role.state)
        stopping = threading.Thread(target=lambda: self.agents.perform(role.host_id, "stop", {}, timeout=20))
        stopping.start()
        (task,) = self.agents.take_tasks(role.host_id, "s", 20)
        self.agents.result({"id": task["id"], "ok": True, "message": "stopped", "log_tail": "", "moment": 6})
        stopping.join(20)
        beat(moment=5, state="RUNNING", failure="")  # of before it was stopped
        self.assertEqual("STOPPED", role.state)
        beat(moment=7, state="RUNNING", failure="")
        self.assertEqual("STARTED", role.state)

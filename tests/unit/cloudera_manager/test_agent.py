# SPDX-License-Identifier: Apache-2.0
"""The agent: its settings, what it says of its host, and real processes under its care."""

from __future__ import annotations

import getpass
import os
import pathlib
import socket
import sys
import threading
import time

import fixtures
import testtools

from lab.cloudera_manager.agent import host_facts, probes, process, process_files, settings, tasks
from lab.cloudera_manager.agent.supervisor import Supervisor

SERVE = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"state: up")
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
open(sys.argv[1], "w").write(str(server.server_port))
server.serve_forever()
"""


def wait_for(condition, seconds=20.0):
    """Wait until a condition holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not in {seconds} s: {condition}")
        time.sleep(0.02)


class ProbesTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        self.there = {"tcp": list(listener.getsockname())}
        with socket.create_server(("127.0.0.1", 0)) as gone:
            self.gone = {"tcp": list(gone.getsockname())}

        self.kept = []

        def answer():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                word = connection.recv(4)
                connection.sendall({b"srvr": b"Mode: leader", b"kept": b"\0\0\0\7 and so on"}.get(word, b"what?"))
                if word == b"kept":
                    self.kept.append(connection)
                else:
                    connection.close()

        threading.Thread(target=answer, daemon=True).start()

    def test_of_several_one_has_to_pass(self):
        self.assertIsNone(probes.first_failure([{"any": [self.gone, self.there]}]))
        failure = probes.first_failure([self.there, {"any": [self.gone, self.gone]}])
        self.assertEqual(2, str(failure).count("does not accept connections"))

    def test_what_a_port_answers(self):
        for word, pattern, passes in (("srvr", "Mode: (leader|follower)", True), ("ruok", "imok", False)):
            failure = probes.first_failure([{**self.there, "send": word, "pattern": pattern}])
            self.assertEqual(passes, failure is None, failure)

    def test_an_answer_that_matches_is_enough_though_the_connection_stays_open(self):
        self.assertIsNone(probes.first_failure([{**self.there, "send": "kept", "pattern": "\0\0\0\x07"}]))
        for connection in self.kept:
            connection.close()


class SettingsTest(testtools.TestCase):
    def file(self, text):
        path = pathlib.Path(self.useFixture(fixtures.TempDir()).path) / "config.ini"
        path.write_text(text)
        return path

    def test_what_sahara_s_sed_leaves(self):
        found = settings.read(self.file("[General]\n# the manager\nserver_host=manager-0\nserver_port=7182\n"))
        self.assertEqual(("manager-0", 7182, ""), (found.server_host, found.server_port, found.hostname))

    def test_a_line_alone(self):
        self.assertEqual("10.0.0.5", settings.read(self.file("server_host=10.0.0.5\n")).server_host)

    def test_no_server(self):
        error = self.assertRaises(settings.SettingsError, settings.read, self.file("[General]\nserver_host=\n"))
        self.assertIn("server_host", str(error))

    def test_no_file(self):
        error = self.assertRaises(settings.SettingsError, settings.read, pathlib.Path("/nowhere/config.ini"))
        self.assertIn("/nowhere/config.ini", str(error))

    def test_a_port_that_is_none(self):
        self.assertRaises(settings.SettingsError, settings.read, self.file("server_host=a\nserver_port=b\n"))


class HostFactsTest(testtools.TestCase):
    def cgroup(self, **files):
        root = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        for name, text in files.items():
            path = root / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return root

    def test_memory_of_cgroup_v1(self):
        root = self.cgroup(memory__memory_dot_limit_in_bytes="1073741824\n")
        self.assertEqual(2**30, host_facts.memory_limit(root, 2**34))

    def test_memory_of_cgroup_v2(self):
        self.assertEqual(2**30, host_facts.memory_limit(self.cgroup(memory_dot_max="1073741824\n"), 2**34))

    def test_no_limit_is_the_machine_s_memory(self):
        for root in (
            self.cgroup(memory_dot_max="max\n"),
            self.cgroup(memory__memory_dot_limit_in_bytes=str(2**63 - 4096)),
        ):
            self.assertEqual(2**34, host_facts.memory_limit(root, 2**34))

    def test_cores(self):
        self.assertEqual(2, host_facts.cores(self.cgroup(cpu_dot_max="200000 100000\n"), 8))
        self.assertEqual(8, host_facts.cores(self.cgroup(cpu_dot_max="max 100000\n"), 8))
        quota = {"cpu__cpu_dot_cfs_quota_us": "300000", "cpu__cpu_dot_cfs_period_us": "100000"}
        self.assertEqual(3, host_facts.cores(self.cgroup(**quota), 8))
        unlimited = {"cpu__cpu_dot_cfs_quota_us": "-1", "cpu__cpu_dot_cfs_period_us": "100000"}
        self.assertEqual(8, host_facts.cores(self.cgroup(**unlimited), 8))
        self.assertEqual(1, host_facts.cores(self.cgroup(cpu_dot_max="50000 100000\n"), 8))


class SupervisorTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        (self.root / "classpath").write_text("/opt/a.jar:/opt/b.jar\n")
        (self.root / "process").mkdir()
        self.supervisor = self.make()

    def make(self):
        made = Supervisor(self.root / "state", self.root / "process", lambda: None)
        self.addCleanup(made.stop_all)
        return made

    def spec(self, code, *, probes=(), **more):
        return {
            "role": "DN_1", "id": 1, "name": "hdfs01-DATANODE", "user": getpass.getuser(), "directories": [],
            "files": {"here.txt": "in {process_dir}"}, "env": {"A": "{process_dir}"},
            "argv": [sys.executable, "-c", code],
            "class_path_file": str(self.root / "classpath"), "probes": list(probes), "ha_status": {},
            "timeout": 20,
            "log_file": str(self.root / "daemon.log"), "auto_restart": False, **more,
        }  # fmt: skip

    def state(self):
        (report,) = self.supervisor.reports()
        return report["state"]

    def test_started_means_that_it_answers(self):
        port_file = self.root / "port"
        spec = self.spec("")
        spec["argv"] = [sys.executable, "-c", SERVE, str(port_file)]
        # The port is known only when the process has chosen it, so the probe is completed while it is awaited.
        probe = {"url": "http://127.0.0.1:1/", "pattern": "state: up"}
        spec["probes"] = [probe]
        outcomes = []
        starter = threading.Thread(target=lambda: outcomes.append(self.supervisor.start(spec)))
        starter.start()
        wait_for(lambda: port_file.exists() and port_file.read_text())
        self.assertEqual("STARTING", self.state())
        probe["url"] = f"http://127.0.0.1:{port_file.read_text()}/"
        starter.join(30)
        self.assertTrue(outcomes[0]["ok"], outcomes)
        self.assertEqual("RUNNING", self.state())
        self.supervisor.stop("DN_1")
        self.assertEqual("STOPPED", self.state())

    def test_which_of_two_it_is_follows_what_it_says(self):
        said = self.root / "said"
        said.write_text("I am active")
        answer = {"url": said.as_uri(), "pattern": "active"}
        statuses = {"ACTIVE": answer, "STANDBY": {**answer, "pattern": "standby"}}
        self.supervisor.start(self.spec("import time; time.sleep(600)", ha_status=statuses))

        def status():
            (report,) = self.supervisor.reports()
            return report["ha_status"]

        self.assertEqual("ACTIVE", status())
        self.useFixture(fixtures.MonkeyPatch("lab.cloudera_manager.agent.supervisor.PROBE_INTERVAL", 0.0))
        for text, expected in (("I am standby", "STANDBY"), ("", "")):
            said.write_text(text)
            self.supervisor.watch_once()
            self.assertEqual(expected, status())

    def test_one_that_ends_while_starting_is_told_with_its_last_words(self):
        probe = {"tcp": ["127.0.0.1", 1]}
        outcome = self.supervisor.start(
            self.spec("import sys; sys.stderr.write('no disk\\n'); sys.exit(3)", probes=[probe])
        )
        self.assertFalse(outcome["ok"])
        self.assertIn("exit status 3", outcome["message"])
        self.assertIn("no disk", outcome["log_tail"])

    def test_one_that_never_answers_is_ended(self):
        probe = {"tcp": ["127.0.0.1", 1]}
        outcome = self.supervisor.start(self.spec("import time; time.sleep(600)", probes=[probe], timeout=0.5))
        self.assertFalse(outcome["ok"])
        self.assertIn("127.0.0.1:1 does not accept connections", outcome["message"])
        (report,) = self.supervisor.reports()
        self.assertIsNone(process.start_ticks(report["pid"]))

    def test_files_directory_environment(self):
        code = (
            "import os, time; open('seen', 'w').write(os.environ['A'] + ' ' + os.environ['CLASSPATH']); time.sleep(600)"
        )
        env = {"A": "{process_dir}", "HADOOP_CLASSPATH": "/opt/hbase/lib/*"}
        self.supervisor.start(self.spec(code, env=env))
        directory = self.root / "process" / "1-hdfs01-DATANODE"
        wait_for(lambda: (directory / "seen").exists() and (directory / "seen").read_text())
        self.assertEqual(f"in {directory}", (directory / "here.txt").read_text())
        class_path = f"/opt/a.jar:/opt/b.jar:{directory}:/opt/hbase/lib/*"
        self.assertEqual(f"{directory} {class_path}", (directory / "seen").read_text())

    def test_a_user_that_is_not_there(self):
        outcome = self.supervisor.start(self.spec("", user="no-such-user"))
        self.assertFalse(outcome["ok"])
        self.assertIn("'no-such-user'", outcome["message"])

    def test_an_unexpected_end_is_noticed_and_not_retried_unless_asked_for(self):
        self.supervisor.start(self.spec("import time; time.sleep(600)"))
        (report,) = self.supervisor.reports()
        os.kill(report["pid"], 9)
        wait_for(lambda: self.supervisor.watch_once() or self.state() == "EXITED")
        self.assertIn("SIGKILL", self.supervisor.reports()[0]["failure"])
        self.supervisor.watch_once()
        self.assertEqual("EXITED", self.state())

    def test_auto_restart(self):
        self.supervisor.start(self.spec("import time; time.sleep(600)", auto_restart=True))
        (first,) = self.supervisor.reports()
        os.kill(first["pid"], 9)
        wait_for(lambda: self.supervisor.watch_once() or self.supervisor.reports()[0]["pid"] != first["pid"])
        self.assertEqual(("RUNNING", 1), (self.state(), self.supervisor.reports()[0]["restarts"]))

    def test_the_next_agent_adopts_what_runs(self):
        self.supervisor.start(self.spec("import time; time.sleep(600)"))
        (before,) = self.supervisor.reports()
        self.supervisor = self.make()
        self.supervisor.recover()
        (after,) = self.supervisor.reports()
        self.assertEqual((before["pid"], "RUNNING"), (after["pid"], after["state"]))

    def test_the_next_agent_starts_what_should_run(self):
        self.supervisor.start(self.spec("import time; time.sleep(600)"))
        (before,) = self.supervisor.reports()
        self.supervisor.stop_all()
        self.supervisor = self.make()
        self.supervisor.recover()
        self.supervisor.watch_once()
        (after,) = self.supervisor.reports()
        self.assertEqual("RUNNING", after["state"])
        self.assertNotEqual(before["pid"], after["pid"])

    def test_after_a_restart_of_the_host_it_is_tried_until_it_answers_once(self):
        for name in ("FIRST_BACKOFF", "LAST_BACKOFF"):
            self.useFixture(fixtures.MonkeyPatch(f"lab.cloudera_manager.agent.supervisor.{name}", 0.05))
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        needed = self.root / "needed"
        needed.touch()
        code = f"import time; open({str(needed)!r}); time.sleep(600)"
        self.supervisor.start(self.spec(code, probes=[{"tcp": list(listener.getsockname())}]))
        self.supervisor.stop_all()
        needed.unlink()
        self.supervisor = self.make()
        self.supervisor.recover()
        report = {}

        def seen(**wanted):
            self.supervisor.watch_once()
            (found,) = self.supervisor.reports()
            report.update(found)
            return all(report[name] == value for name, value in wanted.items())

        wait_for(lambda: seen(restarts=3))
        needed.touch()
        wait_for(lambda: seen(state="RUNNING", failure=""))
        os.kill(report["pid"], 9)
        wait_for(lambda: seen(state="EXITED"))
        restarts = report["restarts"]
        time.sleep(0.2)
        self.assertTrue(seen(state="EXITED", restarts=restarts))

    def test_what_was_stopped_stays_stopped(self):
        self.supervisor.start(self.spec("import time; time.sleep(600)"))
        self.supervisor.stop("DN_1")
        self.supervisor = self.make()
        self.supervisor.recover()
        self.supervisor.watch_once()
        self.assertEqual("STOPPED", self.state())

    def test_stop_takes_the_children_along(self):
        code = (
            "import subprocess, sys, time\n"
            "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
            "open('child', 'w').write(str(child.pid)); time.sleep(600)"
        )
        self.supervisor.start(self.spec(code))
        path = self.root / "process" / "1-hdfs01-DATANODE" / "child"
        wait_for(lambda: path.exists() and path.read_text())
        child = int(path.read_text())
        self.supervisor.stop("DN_1")
        wait_for(lambda: process.start_ticks(child) is None)

    def test_old_process_directories_go(self):
        for number in range(1, 7):
            spec = self.spec("import time; time.sleep(600)", id=number)
            self.assertTrue(self.supervisor.start(spec)["ok"])
        left = sorted(path.name for path in (self.root / "process").iterdir())
        self.assertEqual([f"{number}-hdfs01-DATANODE" for number in (4, 5, 6)], left)

    def run_task(self, **more):
        payload = {
            "id": 9, "name": "hdfs01-format", "user": getpass.getuser(), "files": {}, "env": {}, "timeout": 20,
            "class_path_file": str(self.root / "classpath"),
            "argv": [sys.executable, "-c", "print('formatted')"], **more,
        }  # fmt: skip
        return tasks.perform(self.supervisor, "run", payload)

    def test_a_command_runs_once(self):
        outcome = self.run_task(unless_exists=[str(self.root / "VERSION")])
        self.assertEqual((True, "formatted"), (outcome["ok"], outcome["log_tail"]))
        (self.root / "VERSION").write_text("")
        outcome = self.run_task(unless_exists=[str(self.root / "VERSION")])
        self.assertEqual((True, ""), (outcome["ok"], outcome["log_tail"]))

    def test_a_command_that_fails_tells_why(self):
        outcome = self.run_task(argv=[sys.executable, "-c", "import sys; sys.exit('in use')"])
        self.assertEqual((False, "in use"), (outcome["ok"], outcome["log_tail"]))
        self.assertIn("status 1", outcome["message"])

    def test_a_command_that_hangs_is_ended(self):
        outcome = self.run_task(argv=[sys.executable, "-c", "import time; time.sleep(600)"], timeout=0.3)
        self.assertIn("longer than 0.3 s", outcome["message"])

    def test_an_unknown_task(self):
        self.assertFalse(tasks.perform(self.supervisor, "dance", {})["ok"])

    def test_directories_keep_their_content(self):
        data = self.root / "data"
        data.mkdir()
        (data / "block").write_text("1")
        process_files.make_directories([{"path": str(data), "user": getpass.getuser(), "mode": "700"}])
        self.assertEqual("1", (data / "block").read_text())
        self.assertEqual(0o700, data.stat().st_mode & 0o777)

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import pathlib

import fixtures
import testtools
from testtools import matchers

from lab import dashboard, installation, preflight, services, settings
from sahara_docker import exceptions

PORT = settings.DASHBOARD_PORTS["horizon"]


class DashboardTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.lab = settings.Lab(pathlib.Path(self.useFixture(fixtures.TempDir()).path))
        self.lab.data.mkdir()
        (self.lab.data / "docker-host").write_text("unix:///nowhere")  # which engine the lab uses is chosen before
        self.ask("")

    def ask(self, text: str) -> None:
        self.useFixture(fixtures.EnvironmentVariable(dashboard.VARIABLE, text))

    def test_a_lab_has_none_unless_it_is_asked_for(self):
        self.assertFalse(dashboard.choose(self.lab))
        self.assertNotIn("horizon", [one.name for one in services.build(self.lab)])
        self.assertNotIn("Horizon", [one.name for one in installation._steps(self.lab, False, {})])

    def test_a_lab_keeps_the_one_it_has(self):
        self.ask("1")
        self.assertTrue(dashboard.choose(self.lab))
        self.ask("")
        self.assertTrue(dashboard.choose(self.lab))
        self.assertIn("horizon", [one.name for one in services.build(self.lab)])
        steps = {one.name: one for one in installation._steps(self.lab, False, {})}
        self.assertIn("Horizon", steps["OpenStack"].needs)

    def test_a_running_lab_gets_it_in_addition(self):
        self.assertEqual("", installation._choose(self.lab))
        self.ask("1")
        self.assertEqual("a dashboard", installation._choose(self.lab))
        self.assertEqual("", installation._choose(self.lab))

    def test_another_answer_than_yes_is_refused(self):
        self.ask("0")
        error = self.assertRaises(exceptions.SaharaDockerError, dashboard.choose, self.lab)
        self.assertThat(str(error), matchers.Contains("give HORIZON=1 for a dashboard"))
        self.assertFalse(dashboard.is_chosen(self.lab))

    def test_its_port_is_held_against_the_lab_with_it_only_and_is_no_other_s(self):
        self.assertNotIn(PORT, [*settings.PORTS.values(), *settings.STORE_PORTS.values()])
        self.useFixture(fixtures.MonkeyPatch("lab.preflight.is_taken", lambda port: port == PORT))
        preflight._ports(self.lab)
        self.ask("1")
        dashboard.choose(self.lab)
        error = self.assertRaises(preflight.Unfit, preflight._ports, self.lab)
        self.assertThat(str(error), matchers.Contains(f"{PORT} (horizon)"))

    def test_pages_and_settings_go_where_horizon_looks(self):
        """With an environment of empty packages: only what is copied and written is looked at."""
        site = self.lab.cache / "horizon/lib/python3.11/site-packages"
        local, sahara = site / "openstack_dashboard/local", site / "sahara_dashboard"
        for kind in ("enabled", "local_settings.d"):
            (local / kind).mkdir(parents=True)
            (sahara / kind).mkdir(parents=True)
            (sahara / kind / "_18_page.py").write_text(f"{kind!r}\n")
            (sahara / kind / "__init__.py").touch()
        self.useFixture(fixtures.MonkeyPatch("lab.packages.install_environment", lambda lab, *_: lab.cache / "horizon"))
        dashboard.install(self.lab)
        found = {str(path.relative_to(local)) for path in local.rglob("*.py")}
        written = {"local_settings.py", "local_settings.d/_13_data_processing.py"}
        self.assertEqual({"enabled/_18_page.py", "local_settings.d/_18_page.py"} | written, found)
        read: dict[str, object] = {}
        exec((local / "local_settings.py").read_text(), read)
        self.assertEqual(f"{self.lab.url('keystone')}/v3", read["OPENSTACK_KEYSTONE_URL"])
        self.assertIs(False, read["DEBUG"])
        place = str(read["LOCAL_PATH"])
        self.assertEqual(place, read["SESSION_FILE_PATH"])
        self.assertEqual(0o700, os.stat(place).st_mode & 0o777)
        self.assertTrue(pathlib.Path(place).is_relative_to(self.lab.data))

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import ensurepip
import os
import sys
import tempfile
import zipfile
from pathlib import Path

import fixtures
import testtools
from testtools import matchers

from lab import command, packages, settings
from sahara_docker import exceptions


class InstallTest(testtools.TestCase):
    """apt, dpkg and systemctl are scripts here that note how they were called."""

    def setUp(self):
        super().setUp()
        self.directory = Path(self.useFixture(fixtures.TempDir()).path)
        self.lab = settings.Lab(self.directory / "state")
        self.calls, self.tools = self.directory / "calls", self.directory / "tools"
        self.tools.mkdir()
        self.useFixture(fixtures.EnvironmentVariable("PATH", f"{self.tools}:/usr/bin:/bin"))
        for name in ("dpkg", "apt-get", "apt-cache", "systemctl"):
            self.tool(name)
        self.systemd, self.units = self.directory / "run-systemd", self.directory / "units"
        self.units.mkdir()
        self.useFixture(fixtures.MonkeyPatch("lab.packages.SYSTEMD", self.systemd))
        self.useFixture(fixtures.MonkeyPatch("lab.packages.UNIT_DIRECTORIES", (self.units,)))

    def tool(self, name: str, behaviour: str = "") -> None:
        path = self.tools / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.calls}\n{behaviour}\n')
        path.chmod(0o755)

    def called(self) -> list[str]:
        """Calls so far, without apt's options and the look at dpkg's state."""
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        options = "-y --no-remove -o DPkg::Lock::Timeout=120 -o Acquire::Retries=2 "
        return [line.replace(options, "") for line in lines if line != "dpkg --audit"]

    def test_nothing_missing_and_nothing_broken_calls_nothing(self):
        self.systemd.mkdir()
        packages.install_packages(self.lab, [])
        self.assertEqual([], self.called())

    def test_without_systemd_only_apt_runs(self):
        packages.install_packages(self.lab, ["maven"])
        self.assertEqual(["apt-get update", "apt-get install --no-install-recommends maven"], self.called())

    def test_servers_that_are_new_are_masked_around_the_install(self):
        self.systemd.mkdir()
        (self.units / "docker.service").touch()
        (self.units / "docker.socket").touch()
        (self.units / "mariadb.service").symlink_to(os.devnull)  # masked by an owner, or by a package that went
        packages.install_packages(self.lab, ["maven"])
        units = " ".join(unit for unit in packages.SERVERS if not unit.startswith("docker."))
        self.assertEqual(
            [
                f"systemctl mask --runtime {units}",
                "apt-get update",
                "apt-get install --no-install-recommends maven",
                f"systemctl unmask --runtime {units}",
            ],
            self.called(),
        )

    def test_a_failed_install_unmasks(self):
        self.systemd.mkdir()
        self.tool("apt-get", "exit 100")
        self.assertRaises(command.CommandFailed, packages.install_packages, self.lab, ["maven"])
        self.assertThat(self.called()[-1], matchers.StartsWith("systemctl unmask --runtime docker.service"))
        before = self.called()
        packages.install_packages(self.lab, [])
        self.assertEqual(before, self.called())

    def test_what_a_killed_run_had_masked_is_unmasked_by_the_next(self):
        self.systemd.mkdir()
        # As when killed: what the script of apt-get kills is the whole of the lab's process.
        self.tool("apt-get", 'kill -9 "$PPID"')
        script = "import sys; from pathlib import Path; from lab import packages, settings\n"
        script += "packages.SYSTEMD, packages.UNIT_DIRECTORIES = Path(sys.argv[1]), (Path(sys.argv[2]),)\n"
        script += "packages.install_packages(settings.Lab(Path(sys.argv[3])), ['maven'])"
        words = [sys.executable, "-c", script, self.systemd, self.units, self.lab.state]
        variables = {**os.environ, "PYTHONPATH": str(settings.CHECKOUT), "PYTHONDONTWRITEBYTECODE": "1"}
        command.run(words, log=self.directory / "log", what="trying", environment=variables, accept=(-9,))
        mask = self.called()[0]
        for unit in packages.SERVERS:
            (self.units / unit).touch()  # apt unpacked them
        self.calls.unlink()
        packages.install_packages(self.lab, [])
        self.assertEqual([mask, mask.replace(" mask ", " unmask ")], self.called())

    def test_an_install_that_was_cut_short_is_completed_first(self):
        self.tool("dpkg", "echo half configured: mariadb-server; exit 1")
        # What the repair has brought is not there to be asked for again; of the tests' packages, what was asked for is.
        self.useFixture(
            fixtures.MonkeyPatch("lab.packages.missing", lambda *, tests: ["mmdebstrap", "ethtool", "lxcfs"])
        )
        packages.install_packages(self.lab, ["maven", "ethtool"])
        self.assertEqual(
            [
                "dpkg --configure -a",
                "apt-get -f install",
                "apt-get update",
                "apt-get install --no-install-recommends mmdebstrap ethtool",
            ],
            self.called(),
        )

    def test_the_interpreter_counts_only_where_the_environments_look_for_it(self):
        self.useFixture(fixtures.MonkeyPatch("lab.packages.NEEDED", {"python3.11": packages.NEEDED["python3.11"]}))
        self.tool("python3.11")
        expected = [] if Path(packages.PYTHON).exists() else ["python3.11"]
        self.assertEqual(expected, packages.missing())
        self.assertEqual((packages.PYTHON,), packages.NEEDED["python3.11"])

    def test_a_distribution_without_the_interpreter_is_told(self):
        for behaviour in ("", "printf 'python3.11:\\n  Installed: (none)\\n  Candidate: (none)\\n'"):
            self.tool("apt-cache", behaviour)
            error = self.assertRaises(exceptions.SaharaDockerError, packages.install_packages, self.lab, ["python3.11"])
            self.assertThat(str(error), matchers.Contains("needs Python 3.11, which Debian 12 and Ubuntu 22.04 have"))
        self.assertNotIn("apt-get install --no-install-recommends python3.11", self.called())
        self.tool("apt-cache", "printf 'python3.11:\\n  Installed: (none)\\n  Candidate: 3.11.2-6\\n'")
        packages.install_packages(self.lab, ["python3.11"])
        self.assertEqual("apt-get install --no-install-recommends python3.11", self.called()[-1])

    def test_the_list_for_bindep_has_what_the_lab_and_its_tests_install(self):
        listed = set()
        for line in (settings.CHECKOUT / "bindep.txt").read_text().splitlines():
            name, _, selectors = line.partition(" [")
            if "test" in selectors.rstrip("]").split() and "platform:rpm" not in selectors:
                listed.add(name)
        self.assertEqual({*packages.NEEDED, *packages.FOR_TESTS}, listed)


class PipSettingsTest(testtools.TestCase):
    """With a real pip: the one that comes with the interpreter, for the environment of the tests has none."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        unpacked = tempfile.TemporaryDirectory()
        cls.addClassCleanup(unpacked.cleanup)
        places = [Path(ensurepip.__file__).parent / "_bundled", Path("/usr/share/python-wheels")]
        wheel = next(wheel for place in places for wheel in place.glob("pip-*.whl"))
        zipfile.ZipFile(wheel).extractall(unpacked.name)
        cls.pip = Path(unpacked.name) / "pip"

    def setUp(self):
        super().setUp()
        self.directory = Path(self.useFixture(fixtures.TempDir()).path)
        self.lab = settings.Lab(self.directory / "state")
        for name in list(os.environ):
            if name.startswith(("PIP_", "UV_")) or name == "SSL_CERT_FILE":
                self.useFixture(fixtures.EnvironmentVariable(name))
        python = self.lab.cache / "uv/bin/python"
        python.parent.mkdir(parents=True)
        # It may keep its bytecode, which takes the time.
        python.write_text(f'#!/bin/sh\nunset PYTHONDONTWRITEBYTECODE\nexec {sys.executable} {self.pip} "$3" "$4"\n')
        python.chmod(0o755)
        self.file = self.directory / "pip.conf"
        self.set("PIP_CONFIG_FILE", self.file)

    def set(self, name: str, value: object) -> None:
        self.useFixture(fixtures.EnvironmentVariable(name, str(value)))

    def of_uv(self) -> dict[str, str]:
        variables = packages.uv_environment(self.lab)
        names = {one for names in packages.UV_VARIABLES.values() for one in names[:2]} | {"UV_INDEX_STRATEGY"}
        return {name: value for name, value in variables.items() if name in names}

    def test_no_settings(self):
        self.set("PIP_CONFIG_FILE", os.devnull)  # keeps pip from the machine's own files
        self.assertEqual({}, self.of_uv())

    def test_a_file_gives_all(self):
        links = self.directory / "wheels"
        links.mkdir()
        self.file.write_text(
            "[install]\nindex-url = https://one.example/simple\n"  # weighs more than all of the machine's own files
            "extra-index-url =\n  https://two.example/simple\n  https://three.example/simple\n"
            f"find_links = {links} /does/not/exist https://four.example/links\n"
            "trusted-host =\n  one.example\n  two.example:8443\ncert = /etc/my ca.pem\n"
        )
        self.assertEqual(
            {
                "UV_DEFAULT_INDEX": "https://one.example/simple",
                "UV_INDEX": "https://two.example/simple https://three.example/simple",
                "UV_INDEX_STRATEGY": "unsafe-best-match",
                "UV_FIND_LINKS": f"{links},https://four.example/links",
                "UV_INSECURE_HOST": "one.example two.example:8443",
                "SSL_CERT_FILE": "/etc/my ca.pem",
            },
            self.of_uv(),
        )

    def test_the_environment_weighs_more_than_a_file(self):
        self.file.write_text("[global]\nindex-url = https://one/\n[install]\nindex-url = https://two/\n")
        self.assertEqual("https://two/", self.of_uv()["UV_DEFAULT_INDEX"])
        self.set("PIP_INDEX_URL", "https://three/")
        self.assertEqual("https://three/", self.of_uv()["UV_DEFAULT_INDEX"])

    def test_the_order_of_the_listing_does_not_matter(self):
        lines = [":env:.cert='/env'", "global.cert='/global'", "global.index-url='https://one/'", "list.cert='/list'"]
        for order in (lines, lines[::-1]):
            found = packages._pip_settings("\n".join(order))
            self.assertEqual({"cert": "/env", "index-url": "https://one/"}, found)

    def test_the_callers_own_variable_for_uv_wins(self):
        self.set("PIP_CONFIG_FILE", os.devnull)
        self.set("PIP_INDEX_URL", "https://one/")
        self.set("PIP_CERT", "/one.pem")
        self.set("SSL_CERT_FILE", "/two.pem")
        self.set("UV_INDEX_URL", "https://two/")
        self.assertEqual({"UV_INDEX_URL": "https://two/", "SSL_CERT_FILE": "/two.pem"}, self.of_uv())

    def test_a_file_that_pip_cannot_read_is_told(self):
        self.file.write_text("no section\n")
        error = self.assertRaises(exceptions.SaharaDockerError, packages.uv_environment, self.lab)
        self.assertThat(str(error), matchers.Contains("pip cannot read its settings"))

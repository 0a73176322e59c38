# SPDX-License-Identifier: Apache-2.0
"""The driver against the contract of the Nova that is installed here (28, 31, 34 and between)."""

from __future__ import annotations

import inspect
import os
import pathlib
import re
import subprocess
import sys

import fixtures
import testtools
from nova.virt import driver as nova_driver
from testtools import matchers

from sahara_docker.nova import driver

# Nova's suite passes a method that raises NotImplementedError, so what we do implement is written down here.
IMPLEMENTED = {
    "attach_interface",
    "attach_volume",
    "cache_image",
    "cleanup",
    "cleanup_host",
    "confirm_migration",
    "delete_instance_files",
    "destroy",
    "detach_interface",
    "detach_volume",
    "finish_migration",
    "finish_revert_migration",
    "get_available_nodes",
    "get_available_resource",
    "get_console_output",
    "get_diagnostics",
    "get_host_ip_addr",
    "get_host_uptime",
    "get_info",
    "get_instance_diagnostics",
    "get_volume_connector",
    "init_host",
    "instance_exists",
    "list_instance_uuids",
    "list_instances",
    "manage_image_cache",
    "migrate_disk_and_power_off",
    "pause",
    "plug_vifs",
    "poll_rebooting_instances",
    "power_off",
    "power_on",
    "reboot",
    "rescue",
    "resume_state_on_host_boot",
    "set_admin_password",
    "snapshot",
    "spawn",
    "unpause",
    "unplug_vifs",
    "unrescue",
    "update_provider_tree",
}
_CHECKOUT = pathlib.Path(__file__).parents[3]


def _accepts(ours: inspect.Signature, theirs: inspect.Signature) -> str | None:
    """Return what makes a call that fits *theirs* not fit *ours*, or None."""
    parameters = list(theirs.parameters.values())
    for count in range(len(parameters) + 1):
        # The first *count* arguments by position, the rest by name: Nova does both.
        positional = [p.name for p in parameters[:count]]
        named = {p.name: p.name for p in parameters[count:]}
        try:
            bound = ours.bind(*positional, **named)
        except TypeError as error:
            return str(error)
        for name, value in bound.arguments.items():
            kind = ours.parameters[name].kind
            if kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
                continue
            if name != value:
                return f"argument {value} arrives as {name}"
    required = {p.name for p in parameters if p.default is inspect.Parameter.empty}
    for parameter in ours.parameters.values():
        optional = parameter.kind is not parameter.POSITIONAL_OR_KEYWORD or parameter.default is not parameter.empty
        if not optional and parameter.name not in required:
            return f"argument {parameter.name} is not optional"
    return None


class DriverContractTest(testtools.TestCase):
    def test_implements_exactly_the_methods_that_it_claims(self) -> None:
        own = {name for name in vars(driver.DockerDriver) if not name.startswith("_") and name != "capabilities"}
        self.assertEqual(IMPLEMENTED, own)
        self.assertThat([name for name in own if not hasattr(nova_driver.ComputeDriver, name)], matchers.Equals([]))

    def test_takes_every_call_that_nova_makes(self) -> None:
        problems = {}
        for name in IMPLEMENTED:
            theirs = inspect.signature(getattr(nova_driver.ComputeDriver, name))
            problem = _accepts(inspect.signature(getattr(driver.DockerDriver, name)), theirs)
            if problem:
                problems[name] = problem
        self.assertEqual({}, problems)

    def test_capabilities_are_nova_s_and_claim_what_is_implemented(self) -> None:
        capabilities, base = driver.DockerDriver.capabilities, nova_driver.ComputeDriver.capabilities
        self.assertEqual(set(base), set(capabilities))
        claimed = {name for name, value in capabilities.items() if value}
        self.assertEqual(
            {"has_imagecache", "supports_attach_interface", "supports_evacuate", "supports_image_type_raw"}, claimed
        )

    def test_nova_s_loader_finds_the_shim(self) -> None:
        """With the shim's directory where an installation puts the shim: in nova.virt."""
        program = (
            "import sys, nova.virt, nova.conf; nova.virt.__path__.append(sys.argv[1]);"
            "from nova.virt import driver;"
            "nova.conf.CONF([], project='nova', default_config_files=[]);"
            "print(type(driver.load_compute_driver(None, 'docker.DockerDriver')).__name__)"
        )
        command = [sys.executable, "-W", "ignore", "-c", program, str(_CHECKOUT / "nova" / "virt")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=_CHECKOUT)
        self.assertEqual("DockerDriver\n", done.stdout, done.stderr)

    def test_an_installation_has_the_shim_and_leaves_nova_s_own_files_alone(self) -> None:
        target = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        metadata = ["egg_info", "--egg-base", str(target)]
        command = [sys.executable, "-W", "ignore", "setup.py", "-q", *metadata, "build_py", "--build-lib", str(target)]
        environment_ = {**os.environ, "PBR_VERSION": "0.0.1"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=_CHECKOUT, env=environment_)
        self.assertEqual(0, done.returncode, done.stderr)
        installed = {str(path.relative_to(target)) for path in (target / "nova").rglob("*") if path.is_file()}
        self.assertEqual({"nova/virt/docker.py"}, installed)

    def test_eventlet_is_not_imported_by_us(self) -> None:
        for source in (_CHECKOUT / "sahara_docker" / "nova").glob("*.py"):
            imports = re.findall(r"^\s*(?:import|from) eventlet.*", source.read_text(encoding="utf-8"), re.M)
            self.assertEqual([], imports, source)

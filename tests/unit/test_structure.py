# SPDX-License-Identifier: Apache-2.0
"""Who may import whom."""

from __future__ import annotations

import ast
from pathlib import Path

import testtools

ROOT = Path(__file__).resolve().parents[2]


def imports(path: Path) -> set[str]:
    """Modules that a file imports anywhere in it, as absolute names."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


class StructureTest(testtools.TestCase):
    def assert_never(self, place: str, *forbidden: str, exempt: tuple[str, ...] = ()) -> None:
        files = sorted((ROOT / place).rglob("*.py")) if (ROOT / place).is_dir() else [ROOT / place]
        self.assertNotEqual([], files, f"{place} holds no Python")
        for path in files:
            for module in imports(path):
                for root in forbidden:
                    if (module == root or module.startswith(f"{root}.")) and module not in exempt:
                        self.fail(f"{path.relative_to(ROOT)} imports {module}")

    def assert_only(self, place: str, *allowed: str) -> None:
        """Of the package, *place* imports nothing but *allowed* modules and what lies below them."""
        files = sorted((ROOT / place).rglob("*.py"))
        self.assertNotEqual([], files, f"{place} holds no Python")
        for path in files:
            for module in imports(path):
                names = [f"sahara_docker.{name}" for name in allowed]
                within = any(module == name or module.startswith(f"{name}.") for name in names)
                # "from sahara_docker import conf" names the package as well as the module.
                if module.startswith("sahara_docker.") and not within:
                    self.fail(f"{path.relative_to(ROOT)} imports {module}")

    def test_leaves_import_nothing_of_the_package(self):
        for leaf in ("conf.py", "exceptions.py"):
            self.assert_never(f"sahara_docker/{leaf}", "sahara_docker", "sahara", "nova", "lab", "eventlet")

    def test_what_is_kept_with_a_cluster_stands_alone(self):
        self.assert_never("sahara_docker/cluster_extra.py", "sahara_docker", "nova", "lab")

    def test_threads_stand_alone(self):
        self.assert_never("sahara_docker/thread_group.py", "sahara_docker", "nova", "lab")

    def test_each_side_has_only_what_it_may(self):
        self.assert_only("sahara_docker/plugins", "plugins", "cluster_extra", "conf", "exceptions", "thread_group")
        self.assert_only("sahara_docker/engine", "engine", "ssh", "cluster_extra", "conf", "exceptions", "thread_group")
        self.assert_only("sahara_docker/ssh", "ssh", "engine", "cluster_extra", "conf", "exceptions")
        self.assert_only("sahara_docker/nova", "nova", "conf", "exceptions")

    def test_only_the_plug_point_of_the_remote_knows_the_engine(self):
        for path in sorted((ROOT / "sahara_docker/ssh").glob("*.py")):
            if path.name != "driver.py":
                self.assert_never(str(path.relative_to(ROOT)), "sahara_docker.engine")

    def test_the_sahara_side_never_imports_nova(self):
        for place in ("engine", "ssh", "plugins"):
            self.assert_never(f"sahara_docker/{place}", "nova", "sahara_docker.nova", "lab")

    def test_the_nova_side_never_imports_sahara_or_eventlet(self):
        others = ("sahara_docker.engine", "sahara_docker.ssh", "sahara_docker.plugins")
        self.assert_never("sahara_docker/nova", "sahara", "eventlet", "lab", *others)
        self.assert_never("nova", "sahara", "eventlet", "lab", *others)

    def test_the_command_runs_where_only_one_side_is_installed(self):
        sides = ("sahara_docker.engine", "sahara_docker.ssh", "sahara_docker.plugins", "sahara_docker.nova")
        self.assert_never("sahara_docker/cli", "sahara", "nova", "lab", *sides)

    def test_the_plugin_reaches_nodes_through_the_remote_only(self):
        self.assert_never("sahara_docker/plugins", "paramiko", "sahara_docker.ssh", "sahara_docker.engine")

    def test_the_stand_in_shares_no_code_with_the_package(self):
        for stand_in in ("lab/cloudera_manager", "tests/contract/stock/recording_cm.py"):
            self.assert_never(stand_in, "sahara_docker", "sahara", "sahara_plugin_cdh")

    def test_the_lab_starts_services_as_processes(self):
        for path in sorted((ROOT / "lab").glob("*.py")):
            self.assert_never(str(path.relative_to(ROOT)), "sahara", "nova", "heat", "glance", "keystone", "neutron")

    def test_the_package_never_imports_the_lab(self):
        self.assert_never("sahara_docker", "lab")

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

    def test_leaves_import_nothing_of_the_package(self):
        for leaf in ("conf.py", "exceptions.py"):
            self.assert_never(f"sahara_docker/{leaf}", "sahara_docker", "sahara", "nova")

    def test_the_sahara_side_never_imports_nova(self):
        for place in ("engine", "ssh", "plugins"):
            self.assert_never(f"sahara_docker/{place}", "nova", "sahara_docker.nova", "lab")

    def test_the_nova_side_never_imports_sahara_or_eventlet(self):
        others = ("sahara_docker.engine", "sahara_docker.ssh", "sahara_docker.plugins")
        self.assert_never("sahara_docker/nova", "sahara", "eventlet", "lab", *others)
        self.assert_never("nova", "sahara", "eventlet", "lab", *others)

    def test_the_plugin_reaches_nodes_through_the_remote_only(self):
        self.assert_never("sahara_docker/plugins", "paramiko", "sahara_docker.ssh", "sahara_docker.engine")

    def test_the_stand_in_shares_no_code_with_the_package(self):
        self.assert_never("lab/cloudera_manager", "sahara_docker", "sahara", "sahara_plugin_cdh")

    def test_the_package_never_imports_the_lab(self):
        self.assert_never("sahara_docker", "lab")

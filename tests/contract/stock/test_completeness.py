# SPDX-License-Identifier: Apache-2.0
"""Every stock test of what ours replaces is either run with ours or excluded with a reason; no exclusion is stale."""

from __future__ import annotations

import ast
import importlib
import pathlib

import sahara.tests.unit
import testtools

from tests.contract.stock import (
    exclusions,
    plugin_substitutes,
    sahara_substitutes,
    stock_tests,
    test_plugin_units,
    test_sahara_units,
)

# What ours replaces or is a subclass of.
REPLACED = frozenset(
    {
        "sahara.plugins.recommendations_utils",
        "sahara.service.edp.oozie.engine",
        "sahara.service.edp.oozie.oozie",
        "sahara.service.engine",
        "sahara.service.heat.heat_engine",
        "sahara.service.heat.templates",
        "sahara.service.volumes",
        "sahara.utils.openstack.heat",
        "sahara.utils.ssh_remote",
    }
)


def sahara_modules() -> set[str]:
    """Sahara's test modules that import what ours replaces."""
    root = pathlib.Path(sahara.tests.unit.__file__).parent
    found = set()
    for path in root.rglob("test_*.py"):
        imported = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        if imported & REPLACED:
            found.add(".".join(["sahara.tests.unit", *path.relative_to(root).with_suffix("").parts]))
    return found


def names_in(module: str) -> set[tuple[str, str]]:
    """Classes and names of a stock module's tests, from the module as it is."""
    found = stock_tests.tests_of(importlib.import_module(module))
    return {(case, test) for case, (_, tests) in found.items() for test in tests}


class CompletenessTest(testtools.TestCase):
    def assert_run_or_excluded(self, collected, module, label, class_label=str):
        short = module.rpartition(".")[2]
        tests = names_in(module)
        self.assertNotEqual(set(), tests, f"{module} has no tests")
        for case, test in tests:
            excluded = exclusions.name_of(short, case, test) in exclusions.TESTS
            ours = vars(collected).get(f"{class_label(case)}_{label}")
            runs = callable(getattr(ours, test, None))
            self.assertNotEqual(excluded, runs, f"{module}.{case}.{test} is neither run nor excluded, or both")

    def test_every_test_of_the_stock_plugin_is_run_for_every_version_or_excluded(self):
        for number in plugin_substitutes.VERSIONS:
            for module in test_plugin_units.modules(number):
                short = module.rpartition(".")[2]
                self.assert_run_or_excluded(
                    test_plugin_units,
                    module,
                    f"{short}_{test_plugin_units.label(number)}",
                    lambda case, number=number: test_plugin_units.for_version(number, case),
                )

    def test_every_test_of_what_ours_replaces_in_sahara_is_run_or_excluded(self):
        run = set(sahara_substitutes.of_sahara())
        self.assertEqual(sahara_modules(), run | {name for name in exclusions.MODULES if name.startswith("sahara.")})
        for module in run:
            self.assert_run_or_excluded(test_sahara_units, module, module.rpartition(".")[2])

    def test_no_exclusion_is_stale(self):
        modules = {name for number in plugin_substitutes.VERSIONS for name in test_plugin_units.modules(number)}
        known = {
            exclusions.name_of(module.rpartition(".")[2], case, test)
            for module in modules | set(sahara_substitutes.of_sahara())
            for case, test in names_in(module)
        }
        self.assertEqual(set(), set(exclusions.TESTS) - known)
        for module in exclusions.MODULES:
            self.assertTrue(stock_tests.path_of(module).is_file(), module)

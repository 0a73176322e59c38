# SPDX-License-Identifier: Apache-2.0
"""The list of checks as a whole: complete, documented, and each tested on something broken and something well."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import testtools

from sahara_docker.cli import daemon
from sahara_docker.cli.doctor import check, command, report
from sahara_docker.cli.image import trials

ROOT = Path(__file__).resolve().parents[3]
assert command, "importing it declares all checks"


def names_given_to(method: str) -> set[str]:
    """First arguments of all calls of *method* in the tests of the command."""
    found = set()
    for path in (ROOT / "tests").glob("*/cli*/test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method
            if called and node.args and isinstance(node.args[0], ast.Constant):
                found.add(node.args[0].value)
    return found


class DeclarationsTest(testtools.TestCase):
    def test_every_trouble_has_a_check(self):
        covered = {one for declared in check.CHECKS.values() for one in declared.covers}
        self.assertEqual({*check.BLOG, *check.BEYOND_THE_BLOG}, covered)

    def test_every_check_says_what_to_do(self):
        for declared in check.CHECKS.values():
            self.assertRegex(declared.name, r"^[a-z]+\.[a-z-]+$")
            self.assertNotEqual("", declared.remedy)
            self.assertNotEqual("", declared.title)

    def test_every_link_leads_somewhere(self):
        anchors = set(re.findall(r'<a id="([^"]+)">', (ROOT / "docs/troubles.md").read_text()))
        for declared in check.CHECKS.values():
            if declared.covers:
                self.assertIn(declared.link.partition("#")[2], anchors)
        self.assertEqual({*(f"trouble-{n}" for n in check.BLOG), *check.BEYOND_THE_BLOG}, anchors)

    def test_every_trouble_names_its_checks(self):
        for row in (ROOT / "docs/troubles.md").read_text().splitlines():
            anchors = re.findall(r'<a id="(?:trouble-)?([^"]+)">', row)
            if anchors:
                named = re.findall(r"`([^`]+)`", row.rstrip("|").rpartition("|")[2])
                looking = [one.name for one in check.CHECKS.values() if {*anchors} & {str(c) for c in one.covers}]
                self.assertEqual(sorted(looking), sorted(named), row)

    def test_the_documentation_is_what_the_checks_say(self):
        written = (ROOT / "docs/doctor.md").read_text()
        self.assertEqual(written, report.listing_markdown(check.CHECKS.values()) + "\n")

    def test_every_check_is_tested_on_trouble_and_on_health(self):
        self.assertEqual(set(), set(check.CHECKS) - names_given_to("assert_named"))
        self.assertEqual(set(), set(check.CHECKS) - names_given_to("assert_well"))

    def test_every_trial_of_an_image_is_tested_on_both(self):
        known = {*trials.TRIALS, trials.STOP.name}
        self.assertEqual(set(), known - names_given_to("assert_named"))
        self.assertEqual(set(), known - names_given_to("assert_well"))

    def test_labels_are_those_of_the_driver(self):
        source = (ROOT / "sahara_docker/nova/hypervisor.py").read_text()
        for name in ("LABEL_HOST", "LABEL_UUID", "LABEL_ROLE"):
            self.assertIn(f'"{getattr(daemon, name)}"', source)

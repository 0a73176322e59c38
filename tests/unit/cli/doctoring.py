# SPDX-License-Identifier: Apache-2.0
"""How a test of a check says what it expects; tests/unit/cli/test_declarations.py sees that every check has both."""

from __future__ import annotations

from typing import Any

import testtools

from sahara_docker.cli.doctor import check, command, runner, site

assert command, "importing it declares all checks"


class DoctorTest(testtools.TestCase):
    """Base of the checks' tests."""

    def examine(self, name: str, place: site.Site) -> runner.Finding:
        """Run one check as the command does."""
        (finding,) = runner.run([check.CHECKS[name]], place, timeout=60)
        return finding

    def assert_well(self, name: str, place: site.Site) -> runner.Finding:
        """The check finds nothing wrong."""
        finding = self.examine(name, place)
        self.assertEqual(check.OK, finding.result.status, finding.result)
        self.assertEqual("", finding.remedy)
        return finding

    def assert_named(self, name: str, place: site.Site, *words: str) -> runner.Finding:
        """The check sees the trouble, and says *words* about it and what to do."""
        finding = self.examine(name, place)
        self.assertIn(finding.result.status, (check.WARN, check.FAIL), finding.result)
        self.assertNotIn("the check itself failed", finding.result.saw)
        for word in words:
            self.assertIn(word, f"{finding.result.looked_at} {finding.result.saw} {finding.remedy}")
        self.assertNotEqual("", finding.remedy)
        return finding

    def assert_not_here(self, name: str, place: site.Site, *words: str) -> runner.Finding:
        """What the check looks at does not exist in this place."""
        finding = self.examine(name, place)
        self.assertEqual(check.NOT_APPLICABLE, finding.result.status, finding.result)
        for word in words:
            self.assertIn(word, finding.result.saw)
        return finding


def place(**arguments: Any) -> site.Site:
    """A site that sees nothing of this machine but what *arguments* say."""
    return site.Site(**{"environ": {}, **arguments})

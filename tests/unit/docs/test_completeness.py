# SPDX-License-Identifier: Apache-2.0
"""No command of the documentation is left that nothing runs."""

from __future__ import annotations

import re

import testtools

from tests import documents


class CompletenessTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.sources = {name: (documents.ROOT / name).read_text() for name in documents.FOLLOWERS}

    def test_every_page_with_commands_is_followed(self) -> None:
        left = {one.page for one in documents.to_run() if one.text not in documents.ELSEWHERE}
        self.assertIn("docs/user-guide.md", left)
        followed = {page for source in self.sources.values() for page in re.findall(r'"((?:\w+/)*[\w-]+\.md)"', source)}
        self.assertEqual(left, followed)

    def test_every_exception_is_still_in_the_documentation(self) -> None:
        self.assertEqual(set(), set(documents.ELSEWHERE) - {one.text for one in documents.to_run()})

    def test_tests_that_are_named_are_there(self) -> None:
        for reason in documents.ELSEWHERE.values():
            for name in re.findall(r"(?:tests|lab)/[\w/]*\w(?:\.py)?", reason):
                self.assertTrue((documents.ROOT / name).exists(), name)

    def test_commands_are_read_as_a_shell_takes_them(self) -> None:
        blocks = "Text:\n\n    one \\\n        two  # why\n    three\n\n```ini\n    four\n```\n"
        sentence = "Use `make\nfive` and `six seven`.\n"
        found = [(one.text, one.in_sentence) for one in documents.read("a page", blocks + sentence)]
        self.assertEqual([("one two", False), ("three", False), ("make five", True)], found)

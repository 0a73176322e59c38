# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import testtools

from lab import wordcount


class CountTest(testtools.TestCase):
    def test_words_are_what_javas_tokenizer_makes_them(self):
        # A vertical tab and a file separator are white space to Python and letters to Java's StringTokenizer.
        content = b" a b\tb\nb\r\nc\x0bc\x0c\x1c a "
        self.assertEqual({"a": 2, "b": 3, "c\x0bc": 1, "\x1c": 1}, wordcount.count(content))

    def test_nothing_has_no_words(self):
        self.assertEqual({}, wordcount.count(b" \n\t "))

# SPDX-License-Identifier: Apache-2.0
"""Reads the commands that the documentation shows."""

from __future__ import annotations

import itertools
import re
import shlex
from pathlib import Path
from typing import Iterator, NamedTuple

ROOT = Path(__file__).resolve().parents[3]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

#: An indented or fenced line, or words between backticks; of a line that a backslash continues, all of it.
_CODE = re.compile(r"^(?:    |\$ )(.+)$|`([^`\n]+)`", re.MULTILINE)
_FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SEPARATORS = "|;&"


class Command(NamedTuple):
    """A command and the page that shows it.

    :ivar words: as the shell has them, up to an ellipsis or a comment.
    """

    page: str
    words: list[str]


def commands(program: str) -> Iterator[Command]:
    """Yield the commands of *program* that some page shows."""
    for page in PAGES:
        for words in read(page.read_text()):
            if words[0] == program:
                yield Command(page.name, words)


def read(text: str) -> Iterator[list[str]]:
    """Yield each command in a page's code, as words."""
    text = re.sub(r" *\\\n *", " ", text)
    text = _FENCED.sub(lambda block: re.sub("^", "    ", block[1], flags=re.MULTILINE), text)
    for block, inline in _CODE.findall(text):
        lexer = shlex.shlex(block or inline, posix=True, punctuation_chars=_SEPARATORS)
        lexer.whitespace_split = True
        try:
            words = list(itertools.takewhile(lambda word: word != "...", lexer))
        except ValueError:  # an apostrophe: not a command
            continue
        for separates, command in itertools.groupby(words, lambda word: not word.strip(_SEPARATORS)):
            if not separates:
                yield list(command)

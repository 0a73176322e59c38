# SPDX-License-Identifier: Apache-2.0
"""The commands that the documentation shows, for the tests that parse them and for those that run them.

A command is a line of an indented block, or words between backticks that begin with one of :data:`PROGRAMS`; what is no
command stands in a fenced block that names its language. Each is run by one of :data:`FOLLOWERS`, which take commands
from the pages themselves, or is listed in :data:`ELSEWHERE`.
"""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PAGES = tuple(
    path.relative_to(ROOT)
    for pattern in ("README.md", "docs/*.md", "lab/*/README.md", "examples/**/README.md")
    for path in sorted(ROOT.glob(pattern))
)

#: Those by which words within a sentence are known as a command.
PROGRAMS = ("make", "openstack", "sahara-docker", "oslo-config-generator", "python3", ".lab/cache/docs/bin/reno")

#: Tests that follow pages, command for command.
FOLLOWERS = (
    "tests/functional/cli_cloud/test_documents.py",
    "tests/end_to_end/test_user_guide.py",
    "tests/end_to_end/test_hosts.py",
)

#: What they leave out: the test that runs it, or why none does.
ELSEWHERE = {
    "make demo": "tests/end_to_end/test_lab.py",
    "make demo HOSTS=3": "tests/end_to_end/test_hosts.py, without the demonstration's cluster: make demo-up HOSTS=3",
    "make demo STORE=swift": "tests/end_to_end/test_lab.py",
    "make demo HORIZON=1": "tests/end_to_end/test_dashboard.py, without the demonstration's cluster",
    "SCREENSHOTS=docs/images .lab/cache/test/bin/python -m pytest tests/end_to_end/test_dashboard.py": "lab/testing.py "
    "runs it, and takes no pictures",
    "make demo-up": "tests/end_to_end/test_scenario.py",
    "make demo-down": "tests/end_to_end/test_lab.py",
    "make docs": "lab/testing.py builds the pages before it starts the tests",
    "make test": "is what runs all of this",
    "make test KEEP_GOING=1": "is what runs all of this",
    "make bench": "takes long; tests/functional/benchmarks runs parts of it",
    "make bench BENCH=remote": "likewise",
    ".lab/cache/test/bin/python -m pytest tests/unit/nova": "lab/testing.py runs it",
    "pip install sahara-tests 'jsonschema<4' 'setuptools<82'": "tests/end_to_end/test_scenario.py, from a lock file",
    "sahara-scenario examples/scenario.yaml": "tests/end_to_end/test_scenario.py",
    "examples/jobs/shell/run.sh CLUSTER": "tests/end_to_end/test_jobs.py, which runs all examples",
    "systemctl restart nova-compute": "no unit of systemd in the lab; tests/end_to_end/test_lab.py kills the service",
    "systemctl restart sahara-engine": "likewise",
    "python -m pytest tests/contract/cloudera_manager/test_plugin_requests.py": "lab/testing.py, with the stand-in",
}

_CODE = re.compile(r"^```.*?^```$|(?P<block>(?:^    [^\n]*\n)+)|`(?P<inline>[^`]+)`", re.MULTILINE | re.DOTALL)
_CONTINUED = re.compile(r" *\\\n *")
_COMMENT = re.compile(r"(^|\s+)#.*")
_SEPARATORS = "|;&"


class Command(NamedTuple):
    """A command and the page that shows it.

    :ivar page: its path within the checkout.
    :ivar text: in one line, as a shell takes it.
    :ivar in_sentence: whether it stands within a sentence, between backticks.
    """

    page: str
    text: str
    in_sentence: bool

    @property
    def parts(self) -> list[list[str]]:
        """The words of each program that the line starts, up to an ellipsis.

        :raises ValueError: a quotation has no end.
        """
        lexer = shlex.shlex(self.text, posix=True, punctuation_chars=_SEPARATORS)
        lexer.whitespace_split = True
        words = itertools.takewhile(lambda word: word != "...", lexer)
        groups = itertools.groupby(words, lambda word: not word.strip(_SEPARATORS))
        return [list(group) for separates, group in groups if not separates]


def commands() -> Iterator[Command]:
    """Yield every command of every page, in the order in which they stand there."""
    for page in PAGES:
        yield from read(str(page), (ROOT / page).read_text())


def read(page: str, content: str) -> Iterator[Command]:
    """Yield the commands in the content of *page*."""
    for found in _CODE.finditer(content):
        if found["block"]:
            for line in _CONTINUED.sub(" ", found["block"]).splitlines():
                if text := _COMMENT.sub("", line).strip():
                    yield Command(page, text, False)
        elif found["inline"]:
            program, _, rest = " ".join(found["inline"].split()).partition(" ")
            if rest and program in PROGRAMS:
                yield Command(page, f"{program} {rest}", True)


def to_run() -> list[Command]:
    """Commands that are to be typed as they stand: a sentence may also name what a block has, there with arguments."""
    found = list(commands())
    blocks = [f"{one.text} " for one in found if not one.in_sentence]

    def is_named(one: Command) -> bool:
        return one.in_sentence and any(block.startswith(f"{one.text} ") for block in blocks)

    return [one for one in found if not is_named(one)]

# SPDX-License-Identifier: Apache-2.0
"""What the documentation tells to type is understood by the programs."""

from __future__ import annotations

import argparse
import collections
import contextlib
import importlib.metadata
import io
import re
import types
from typing import NamedTuple

import testtools
from testtools import matchers

from lab import __main__ as lab_main
from sahara_docker.cli import main
from sahara_docker.cli.doctor import command as doctor
from tests import documents


def error_of(parser: argparse.ArgumentParser, words: list[str]) -> str:
    """What *parser* has to say against *words*; empty when it takes them."""
    stderr = io.StringIO()
    try:
        with contextlib.redirect_stderr(stderr), contextlib.redirect_stdout(io.StringIO()):
            parser.parse_args(words)
    except SystemExit as ended:
        return stderr.getvalue().strip().splitlines()[-1] if ended.code else ""
    return ""


class Shown(NamedTuple):
    """The words of a command, and the page that shows it."""

    page: str
    words: list[str]


class CommandsTest(testtools.TestCase):
    def shown(self, program: str, least: int) -> list[Shown]:
        """The commands of *program*; that there are some shows that they are still found."""
        lines = [(command.page, words) for command in documents.commands() for words in command.parts]
        found = [Shown(page, words) for page, words in lines if words[0] == program]
        self.assertThat(len(found), matchers.GreaterThan(least - 1))
        return found

    def assert_taken(self, command: Shown, parser: argparse.ArgumentParser, words: list[str]) -> None:
        self.assertEqual("", error_of(parser, words), f"{command.page}: {' '.join(command.words)}")

    def test_make_has_the_targets(self):
        makefile = (documents.ROOT / "Makefile").read_text()
        targets = set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))
        verbs = {target.removeprefix("demo-") for target in targets}
        for command in self.shown("make", 10):
            self.assertIn(command.words[1], targets, command.page)
        for verb in re.findall(r"\$\(LAB\) (\S+)", makefile):
            self.assertIn(verb, verbs)
            self.assertEqual("", error_of(lab_main.parser(), [verb]))

    def test_the_lab_has_the_verbs(self):
        for command in self.shown("python3", 1):
            self.assertEqual(["-m", "lab"], command.words[1:3])
            self.assert_taken(command, lab_main.parser(), command.words[3:])

    def test_sahara_docker_takes_the_arguments(self):
        for command in self.shown("sahara-docker", 15):
            parser, rest = self.subcommand(main.parser(), command.words[1:])
            if rest:  # else the text only names the subcommand
                self.assert_taken(command, parser, rest)
            if command.words[1] == "doctor":
                checks = parser.parse_args(rest).checks
                self.assertNotEqual([], doctor._choose(checks))

    def subcommand(
        self, parser: argparse.ArgumentParser, words: list[str]
    ) -> tuple[argparse.ArgumentParser, list[str]]:
        """The parser of the subcommand that *words* name, and the words behind it."""
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction) and words:
                self.assertIn(words[0], action.choices)
                return self.subcommand(action.choices[words[0]], words[1:])
        return parser, words

    def test_every_subcommand_has_its_help_on_a_page(self):
        page = (documents.ROOT / "docs/command-line.md").read_text()
        waiting = [main.parser()]
        while waiting:
            parser = waiting.pop()
            self.assertIn(f"\n## {parser.prog}\n", page)
            for action in parser._actions:
                if isinstance(action, argparse._SubParsersAction):
                    waiting.extend(action.choices.values())

    def test_openstack_takes_the_arguments(self):
        entries = collections.defaultdict(list)  # of a name in several versions of an API, each
        for package in importlib.metadata.distributions():
            for entry in package.entry_points:
                if re.fullmatch(r"openstack\.(common|\w+\.v\d+)", entry.group):
                    entries[entry.name.replace("_", " ")].append(entry)
        # What some commands ask before they know their options: whether the cloud has Neutron.
        manager = types.SimpleNamespace(is_network_endpoint_enabled=lambda: True)
        app = types.SimpleNamespace(client_manager=manager)
        for command in self.shown("openstack", 25):
            words = command.words[1:]
            length = max((n for n in range(len(words) + 1) if " ".join(words[:n]) in entries), default=0)
            self.assertTrue(length, f"{command.page}: no such command: {' '.join(words)}")
            if words[length:]:
                found = entries[" ".join(words[:length])]
                parsers = [entry.load()(app, None).get_parser("openstack") for entry in found]
                errors = [error_of(parser, words[length:]) for parser in parsers]
                self.assertIn("", errors, f"{command.page}: {' '.join(words)}")

    def test_namespaces_of_options_are_there(self):
        known = {entry.name for entry in importlib.metadata.entry_points(group="oslo.config.opts")}
        for command in self.shown("oslo-config-generator", 2):
            self.assertIn(command.words[command.words.index("--namespace") + 1], known, command.page)

    def test_files_are_there(self):
        words = [word for command in documents.commands() for words in command.parts for word in words]
        named = {word.strip("()") for word in words if re.match(r"\(?(examples|etc|requirements)/", word)}
        self.assertIn("examples/worker-configs.json", named)
        for name in named - {"requirements/constraints.txt"}:  # which the page tells to fetch
            self.assertTrue((documents.ROOT / name).exists(), name)

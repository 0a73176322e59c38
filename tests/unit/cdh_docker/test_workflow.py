# SPDX-License-Identifier: Apache-2.0
"""Workflows of stock Sahara, made so that values arrive; tests/end_to_end/test_jobs.py sees them arrive."""

from __future__ import annotations

import pathlib
import subprocess
from xml.etree import ElementTree

import fixtures
import testtools
from sahara.service.edp.oozie.workflow_creator import java_workflow, mapreduce_workflow, shell_workflow

from sahara_docker.plugins.cdh_docker import workflow

SHELL = "{uri:oozie:shell-action:0.1}"
ANY = "{uri:oozie:workflow:0.2}"


def action(document: str, name: str) -> ElementTree.Element:
    return next(element for element in ElementTree.fromstring(document).iter() if element.tag.endswith(f"}}{name}"))


class ExactTest(testtools.TestCase):
    def java(self, *arguments: str, **configuration: str) -> ElementTree.Element:
        creator = java_workflow.JavaWorkflowCreator()
        creator.build_workflow_xml("Main", arguments=arguments, configuration=configuration)
        document, command = workflow.exact(creator.get_built_workflow_xml())
        self.assertIsNone(command)
        return action(document, "java")

    def test_expressions_of_a_user_are_quoted_and_those_of_sahara_are_not(self):
        java = self.java("${HOME} $x", "${wf:id()}")
        self.assertEqual(["${'${'}HOME} $x", "${'${'}wf:id()}"], [one.text for one in java.findall(f"{ANY}arg")])
        self.assertEqual("${nameNode}", java.find(f"{ANY}name-node").text)

    def test_configuration_is_quoted_too(self):
        creator = mapreduce_workflow.MapReduceWorkFlowCreator()
        creator.build_workflow_xml(configuration={"dir": "/${user.name}"}, streaming={"mapper": "${x}", "reducer": "y"})
        found = action(workflow.exact(creator.get_built_workflow_xml())[0], "map-reduce")
        self.assertEqual("/${'${'}user.name}", found.find(f".//{ANY}value").text)
        self.assertEqual("${'${'}x}", found.find(f".//{ANY}mapper").text)

    def test_nothing_else_is_changed(self):
        given = ("<&>\"'", "ünï 🐘", "two\nlines", "carriage\r\nreturn", "tab\t.", "]]>", "")
        self.assertEqual(list(given), [one.text or "" for one in self.java(*given).findall(f"{ANY}arg")])

    def shell(self, **given) -> tuple[ElementTree.Element, str]:
        creator = shell_workflow.ShellWorkflowCreator()
        creator.build_workflow_xml("run.sh", files=["words"], **given)
        document, command = workflow.exact(creator.get_built_workflow_xml())
        return action(document, "shell"), command

    def test_a_script_gets_its_values_from_a_command_beside_it(self):
        shell, command = self.shell(arguments=["a"], env_vars={"B": "c"})
        self.assertEqual(workflow.COMMAND, shell.find(f"{SHELL}exec").text)
        self.assertEqual(["words", "run.sh", workflow.COMMAND], [one.text for one in shell.findall(f"{SHELL}file")])
        self.assertEqual([], shell.findall(f"{SHELL}argument") + shell.findall(f"{SHELL}env-var"))
        self.assertTrue(command.startswith("#!"))

    def test_the_command_hands_on_what_it_was_given(self):
        place = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        arguments = ["", " ", "-n", "--", "a b", "it's", "$(id) `id` ${HOME} \\n", "*", "new\nline", "ü", "a\r\nb"]
        _, command = self.shell(arguments=arguments, env_vars={"GIVEN": " = $x\n'", "EMPTY": ""})
        script = '#!/bin/sh\nprintf "%s\\0" "$GIVEN" "${EMPTY-unset}" "$@"\n'
        for name, content in (("run.sh", script), (workflow.COMMAND, command)):
            path = place / name
            path.write_bytes(content.encode())
            path.chmod(0o555)
        said = subprocess.run([f"./{workflow.COMMAND}"], cwd=place, capture_output=True, check=True, timeout=20).stdout
        self.assertEqual([" = $x\n'", "", *arguments], said.decode().split("\0")[:-1])


class UnfitTest(testtools.TestCase):
    def test_what_oozie_would_change_is_named(self):
        given = {"args": ["fine", " not", "\x07"], "configs": {"empty": "", "edp.java.java_opts": "", "number": 5}}
        self.assertEqual(
            [
                "argument 2 begins or ends with white space, which Oozie cuts off",
                "argument 3 has the character U+0007, which Oozie's XML cannot have",
                "'empty' in configs is empty, which Oozie takes for absent",
            ],
            list(workflow.unfit("Java", given)),
        )

    def test_a_script_gets_all_but_what_xml_cannot_have(self):
        given = {"args": [" x ", ""], "params": {"A": "", "B": "\0"}, "configs": {"c": " x"}}
        self.assertEqual(
            [
                "'B' in params has the character U+0000, which Oozie's XML cannot have",
                "'c' in configs begins or ends with white space, which Oozie cuts off",
            ],
            list(workflow.unfit("Shell", given)),
        )

    def test_nothing_given(self):
        self.assertEqual([], list(workflow.unfit("MapReduce", {})))

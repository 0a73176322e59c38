# SPDX-License-Identifier: Apache-2.0
"""Workflows whose values reach a job as the user gave them.

Sahara writes a user's values into Oozie's workflow.xml as they are. On their way to the job they meet

- Oozie's expression language: ``${HOME}`` ends the job with "variable [HOME] cannot be resolved";
- Oozie's XML printer and parser, which cut white space at both ends of each text (``XmlUtils.PrettyPrint``,
  ``Element.getTextTrim``) and turn a carriage return into a line feed;
- for arguments and environment variables of a script besides: Hadoop's ``Configuration``, which puts properties in
  place of ``${user.name}``; a check that refuses an empty variable (JA010); and a Java process without a locale, to
  which letters beyond ASCII are question marks.

So expressions are quoted, and a script gets its arguments and variables from a command of its own beside it in HDFS.
What nothing can carry through is refused when the job is asked for, by :func:`unfit`.
"""

from __future__ import annotations

import re
import shlex
from typing import Any, Iterator
from xml.dom import minidom

#: The name of a script's command in the job's directory; Sahara's names of programs begin with a letter or a digit.
COMMAND = "_command"
#: Elements of a workflow whose text comes from the user.
_GIVEN = ("name", "value", "arg", "argument", "env-var", "param", "java-opts", "main-class", "mapper", "reducer")
_QUOTED = "${'${'}"
#: What a document of XML 1.0 cannot have, escaped or not.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def exact(document: str) -> tuple[str, str | None]:
    """Return a workflow of Sahara's so that its values arrive, and the command of its script if it has one.

    :param document: the workflow.xml as Sahara wrote it.
    """
    # As a reference the parser keeps a carriage return; Sahara's writer does not know.
    workflow = minidom.parseString(document.replace("\r", "&#13;").encode())  # noqa: S318 - written by Sahara
    scripts = workflow.getElementsByTagName("shell")
    command = _take_command(workflow, scripts[0]) if scripts else None
    for tag in _GIVEN:
        for element in workflow.getElementsByTagName(tag):
            if element.firstChild is not None:
                element.firstChild.data = element.firstChild.data.replace("${", _QUOTED)
    return workflow.toxml().replace("\r", "&#13;"), command


def _take_command(workflow: minidom.Document, shell: Any) -> str:
    """Take arguments and variables out of a shell action, and have it run the command that is returned."""
    program = shell.getElementsByTagName("exec")[0].firstChild
    words = ["exec", "env", "--", *_take(shell, "env-var"), f"./{program.data}", *_take(shell, "argument")]
    program.data = COMMAND
    shell.appendChild(workflow.createElement("file")).appendChild(workflow.createTextNode(COMMAND))
    return f"#!/bin/sh\n{shlex.join(words)}\n"


def _take(parent: Any, tag: str) -> list[str]:
    taken = [parent.removeChild(element) for element in list(parent.getElementsByTagName(tag))]
    return [element.firstChild.data if element.hasChildNodes() else "" for element in taken]


def unfit(job_type: str, job_configs: dict[str, Any]) -> Iterator[str]:
    """Name what of a job's configuration would not arrive as it is, and why.

    :param job_type: Sahara's name of it.
    :param job_configs: with ``configs``, ``params`` and ``args``, as in Sahara's API.
    """
    given = {f"argument {number}": value for number, value in enumerate(job_configs.get("args") or [], 1)}
    given |= {f"{name!r} in params": value for name, value in (job_configs.get("params") or {}).items()}
    in_command = set(given) if job_type == "Shell" else set()
    given |= {f"{name!r} in configs": value for name, value in (job_configs.get("configs") or {}).items()}
    for what, value in given.items():
        if not isinstance(value, str):
            continue
        bad = _NOT_XML.search(value)
        if bad:
            yield f"{what} has the character U+{ord(bad[0]):04X}, which Oozie's XML cannot have"
        elif what in in_command or what.startswith(("'edp.", "'oozie.")):
            continue
        elif not value:
            yield f"{what} is empty, which Oozie takes for absent"
        elif value != value.strip():
            yield f"{what} begins or ends with white space, which Oozie cuts off"

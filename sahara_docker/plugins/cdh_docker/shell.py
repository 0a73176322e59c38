# SPDX-License-Identifier: Apache-2.0
"""Small shell scripts that run as root on a node in one round trip."""

from __future__ import annotations

import shlex
from typing import Any, NamedTuple

# Seconds by which a remote outlasts a script that has a time limit of its own.
SLACK = 30


class Outcome(NamedTuple):
    """How a script ended."""

    code: int
    output: str

    def last_lines(self, count: int = 20) -> str:
        """Return the end of the output, for an error."""
        return "\n".join(self.output.strip().splitlines()[-count:]) or "no output"


def run_as_root(remote: Any, script: str, *arguments: str, timeout: float | None = None) -> Outcome:
    """Run *script* with ``sh`` as root; its arguments are ``$1`` and on.

    The remote's own ``run_as_root`` puts a command in double quotes, in which the login shell expands every ``$``
    first.

    :param remote: an open remote of the node.
    :param timeout: seconds; the remote's own default when None.
    """
    command = " ".join(["sudo", "sh", "-c", shlex.quote(script), "sahara-docker", *map(shlex.quote, arguments)])
    code, output = remote.execute_command(f"{command} 2>&1", raise_when_error=False, timeout=timeout)
    return Outcome(code, output)

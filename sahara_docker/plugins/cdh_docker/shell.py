# SPDX-License-Identifier: Apache-2.0
"""Small shell scripts that run as root on a node in one round trip."""

from __future__ import annotations

import shlex
from typing import Any, NamedTuple

from oslo_utils import uuidutils

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


def run_with_secret(remote: Any, script: str, secret: str, *arguments: str, timeout: float | None = None) -> Outcome:
    """As :func:`run_as_root`, with a file that only root can read as ``$1``; the other arguments are ``$2`` and on.

    Commands are logged, and everyone on the node can read them; the file is gone afterwards.

    :param secret: the file's content.
    """
    path = f"/run/sahara-docker-{uuidutils.generate_uuid()}"
    remote.execute_command(f"sudo install -m 600 /dev/null {path}")
    remote.write_file_to(path, secret, run_as_root=True)
    outcome = run_as_root(remote, f"trap 'rm -f \"$1\"' EXIT\n{script}", path, *arguments, timeout=timeout)
    return Outcome(outcome.code, _without(outcome.output, secret))


def _without(output: str, secret: str) -> str:
    for line in secret.splitlines():
        output = output.replace(line, "***") if line.strip() else output
    return output

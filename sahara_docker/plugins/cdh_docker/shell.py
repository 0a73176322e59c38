# SPDX-License-Identifier: Apache-2.0
"""Small shell scripts that run as root on a node in one round trip."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
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


# The script is a process of its own, lest it replaces the trap. A connection that breaks early cuts the secret short.
_FROM_INPUT = r"""
secret=$(mktemp /run/sahara-docker-XXXXXXXXXX) || exit 1
trap 'rm -f "$secret"' EXIT
trap 'exit 1' HUP INT TERM PIPE
script=$1 length=$2
shift 2
cat >"$secret"
[ "$(wc -c <"$secret")" -eq "$length" ] || { echo "the input ended too early"; exit 1; }
sh -c "$script" sahara-docker "$secret" "$@"
"""


def run_as_root(remote: Any, script: str, *arguments: str, timeout: float | None = None) -> Outcome:
    """Run *script* with ``sh`` as root; its arguments are ``$1`` and on.

    The remote's own ``run_as_root`` puts a command in double quotes, in which the login shell expands every ``$``
    first.

    :param remote: an open remote of the node.
    :param timeout: seconds; the remote's own default when None.
    """
    return _run(remote, script, arguments, timeout=timeout)


def run_with_secret(remote: Any, script: str, secret: str, *arguments: str, timeout: float | None = None) -> Outcome:
    """As :func:`run_as_root`, with a file that only root can read as ``$1``; the other arguments are ``$2`` and on.

    Commands are logged, and everyone on the node can read them; standard input is neither. The file is gone afterwards.

    :param remote: an open remote of this package, whose ``execute_command`` takes ``stdin``.
    :param secret: the file's content.
    """
    wrapped = (script, str(len(secret.encode())), *arguments)
    outcome = _run(remote, _FROM_INPUT, wrapped, timeout=timeout, stdin=secret)
    return Outcome(outcome.code, _without(outcome.output, secret))


def _run(remote: Any, script: str, arguments: Iterable[str], **options: Any) -> Outcome:
    command = " ".join(["sudo", "sh", "-c", shlex.quote(script), "sahara-docker", *map(shlex.quote, arguments)])
    code, output = remote.execute_command(f"{command} 2>&1", raise_when_error=False, **options)
    return Outcome(code, output)


def _without(output: str, secret: str) -> str:
    for line in secret.splitlines():
        output = output.replace(line, "***") if line.strip() else output
    return output

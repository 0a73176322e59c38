# SPDX-License-Identifier: Apache-2.0
"""The two things without which stock Sahara 19 cannot configure a single container, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

FIXES = (
    "paramiko.py3compat, which stock's remote writes files with, is given back to its child processes (paramiko 3 "
    "has none)",
    "a failing 'sudo hostname NAME' is let pass (a container without CAP_SYS_ADMIN refuses it)",
)

# Stock starts the file of this name that lies beside its own program, for each command or `with` block.
_CHILD = "_sahara-subprocess"
_CHILD_TEXT = """\
import io
import types

import paramiko

paramiko.py3compat = types.SimpleNamespace(StringIO=io.StringIO, BytesIO=io.BytesIO)

from sahara.cli.sahara_subprocess import main

main()
"""


def write_child(directory: Path) -> None:
    """The first fix: the program of stock's child processes, for a sahara-engine in *directory*."""
    (directory / _CHILD).write_text(_CHILD_TEXT)


def let_hostname_pass() -> None:
    """The second fix, in the engine's own process."""
    from sahara.utils import ssh_remote

    original = ssh_remote.InstanceInteropHelper.execute_command

    def execute_command(
        self: Any,
        cmd: str,
        run_as_root: bool = False,
        get_stderr: bool = False,
        raise_when_error: bool = True,
        timeout: Any = None,
    ) -> Any:
        strict = raise_when_error and not cmd.startswith("sudo hostname ")
        return original(self, cmd, run_as_root, get_stderr, strict, timeout)

    ssh_remote.InstanceInteropHelper.execute_command = execute_command

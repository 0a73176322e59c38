# SPDX-License-Identifier: Apache-2.0
"""The ordinary ``openstack`` client, as a user types it: each command is shown, then run."""

from __future__ import annotations

import os
import shlex
import subprocess

from lab import console, installation, settings
from sahara_docker import exceptions


def openstack(lab: settings.Lab, subcommand: str, *arguments: str, timeout: float = 120) -> str:
    """Show and run ``openstack SUBCOMMAND ARGUMENTS``; return what it printed.

    :param subcommand: the words of the subcommand, and arguments without spaces, in one string.

    Relative file names are those of the checkout.

    :raises SaharaDockerError: with the client's own words when it fails.
    """
    words = (*subcommand.split(), *arguments)
    shown = shlex.join(("openstack", *words))
    console.say(f"         $ {shown}")
    environment = {"PATH": os.environ["PATH"], "HOME": str(lab.data), **installation.client_environment(lab)}
    try:
        done = subprocess.run(
            [str(lab.venv / "bin/openstack"), *words],
            cwd=settings.CHECKOUT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            start_new_session=True,  # Ctrl-C is for us to act on
        )
    except subprocess.TimeoutExpired as error:
        raise exceptions.SaharaDockerError("no answer", where=shown, observed=f"not done in {timeout:.0f} s") from error
    if done.returncode:
        observed = (done.stderr or done.stdout).strip() or f"exit status {done.returncode}"
        raise exceptions.SaharaDockerError("the command failed", where=shown, observed=observed)
    return done.stdout

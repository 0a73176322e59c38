# SPDX-License-Identifier: Apache-2.0
"""The lab's commands: ``python3 -m lab up | demo | status | down | test``."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys

from lab import command, console, demo, installation, settings, teardown, testing
from sahara_docker import exceptions

#: What sudo keeps of the caller's environment: where the state is, and how packages are fetched.
_KEPT = (
    "LAB_STATE",
    "DOCKER_HOST",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PYTHONDONTWRITEBYTECODE",
)


def _become_root(arguments: list[str]) -> None:
    """Run the same command again under sudo.

    :raises SaharaDockerError: when there is no sudo.
    """
    if os.geteuid() == 0:
        return
    if not shutil.which("sudo"):
        raise exceptions.SaharaDockerError(
            "the lab makes network interfaces and starts containers, which takes root",
            observed=f"running as uid {os.geteuid()}, and there is no sudo",
            remedy="run it as root, or install sudo",
        )
    console.say("The lab needs root (network interfaces, containers, packages): going on with sudo.")
    # By name: a proxy's address can hold a password, and arguments can be read by every user of the machine.
    kept = ",".join(name for name in _KEPT if name in os.environ)
    words = ["sudo", *([f"--preserve-env={kept}"] if kept else []), sys.executable, "-m", "lab", *arguments]
    os.execvp("sudo", words)  # noqa: S606


def _interrupt(*_) -> None:
    if not command.interrupted.is_set():
        console.say("\nInterrupted: ending what runs ...")
    command.interrupted.set()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m lab", description="All of OpenStack and Sahara on one machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="bring the lab up, make a Hadoop cluster and run a job on it")
    commands.add_parser("up", help="bring OpenStack up with the node image registered, and no cluster")
    commands.add_parser("status", help="show what runs")
    commands.add_parser("down", help="stop everything and remove all that the lab made outside its state directory")
    commands.add_parser("test", help="run every test, the end-to-end ones included")
    chosen = parser.parse_args(arguments).command
    lab = settings.Lab(settings.default_state())
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        if chosen == "status":
            return teardown.status(lab)
        _become_root(arguments)
        if chosen == "down":
            teardown.down(lab)
        elif chosen == "test":
            testing.run(lab)
        elif chosen == "up":
            installation.up(lab)
        else:
            demo.run(lab)
    except KeyboardInterrupt:
        console.error("interrupted")
        return 130
    except exceptions.SaharaDockerError as error:
        console.error(str(error))
        return 130 if command.interrupted.is_set() else 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

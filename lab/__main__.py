# SPDX-License-Identifier: Apache-2.0
"""The lab's commands: ``python3 -m lab up | demo | status | down | test | bench | docs``."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import benchmarks
from lab import bench, command, console, demo, docs, installation, leftovers, plan, settings, teardown, testing
from sahara_docker import exceptions

#: What sudo keeps of the caller's environment: where the state is, and how packages are fetched.
_KEPT = (
    "LAB_STATE",
    "HOSTS",
    "STORE",
    "HORIZON",
    "KEEP_GOING",
    "DOCKER_HOST",
    "PYTHONDONTWRITEBYTECODE",
    "SSL_CERT_FILE",
)
_LOCKED = "LAB_LOCKED"
_KEPT_PREFIXES = ("PIP_", "UV_", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


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
    personal = Path.home() / ".config/pip/pip.conf"  # root has another home
    if personal.exists():
        os.environ.setdefault("PIP_CONFIG_FILE", str(personal))
    kept = ",".join(name for name in os.environ if name in _KEPT or name.startswith(_KEPT_PREFIXES))
    words = ["sudo", *([f"--preserve-env={kept}"] if kept else []), sys.executable, "-m", "lab", *arguments]
    os.execvp("sudo", words)  # noqa: S606


@contextlib.contextmanager
def _alone(lab: settings.Lab) -> Iterator[None]:
    """Hold the lab against other commands, and end what one that was killed had left running.

    :raises SaharaDockerError: another command is at work.
    """
    if os.environ.get(_LOCKED) == str(lab.state):  # below `make test`, which holds it
        yield
        return
    lab.state.mkdir(parents=True, exist_ok=True)
    with (lab.state / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise exceptions.SaharaDockerError(
                "another command of this lab is at work",
                where=str(lab.state),
                observed=f"process {lock.read().strip()}",
                remedy="wait until it has ended, or interrupt it",
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        if leftovers.end(lab, kind=settings.COMMAND_MARK):
            console.step("ended installers and builds of a command that was killed")
        os.environ[_LOCKED] = os.environ[settings.COMMAND_MARK] = str(lab.state)
        yield


def _dispatch(chosen: argparse.Namespace, lab: settings.Lab) -> None:
    if chosen.command == "down":
        teardown.down(lab)
    elif chosen.command == "test":
        testing.run(lab)
    elif chosen.command == "bench":
        bench.run(lab, chosen.names)
    elif chosen.command == "docs":
        docs.build(lab)
    elif chosen.command == "up":
        installation.up(lab)
        teardown.status(lab)
    else:
        demo.run(lab)


def _interrupt(*_) -> None:
    first = not command.interrupted.is_set()
    command.interrupted.set()
    command.cancelled.set()
    if first:  # past Python's streams: the handler may run while the main thread holds their locks
        os.write(2, b"\nInterrupted: ending what runs ...\n")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    found = argparse.ArgumentParser(prog="python3 -m lab", description="All of OpenStack and Sahara on one machine.")
    commands = found.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="bring the lab up, make a Hadoop cluster and run a job on it")
    commands.add_parser("up", help="bring OpenStack up with the node image registered, and no cluster")
    commands.add_parser("status", help="show what runs")
    commands.add_parser("down", help="stop everything and remove all that the lab made outside its state directory")
    commands.add_parser("test", help="run every test, the end-to-end ones included")
    commands.add_parser("docs", help="make the documentation as web pages")
    measure = commands.add_parser("bench", help="measure what this package costs beside stock Sahara")
    measure.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(benchmarks.MODULES)}; all by default")
    return found


def main(arguments: list[str]) -> int:
    chosen = parser().parse_args(arguments)
    if chosen.command == "bench" and not set(chosen.names) <= set(benchmarks.MODULES):
        parser().error(f"benchmarks are {', '.join(benchmarks.MODULES)}")
    lab = settings.Lab(settings.default_state())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    # Root by `su` has a user's PATH, in which dpkg, dockerd and iptables are missing.
    os.environ["PATH"] += os.pathsep + os.pathsep.join(("/usr/local/sbin", "/usr/sbin", "/sbin"))
    try:
        _become_root(arguments)
        if chosen.command == "status":
            return teardown.status(lab)
        with _alone(lab):
            _dispatch(chosen, lab)
    except KeyboardInterrupt:
        console.error("interrupted")
        return 130
    except (exceptions.SaharaDockerError, plan.StepFailed, OSError) as error:
        if command.interrupted.is_set():
            console.error("interrupted")
            return 130
        console.error(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

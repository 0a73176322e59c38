# SPDX-License-Identifier: Apache-2.0
"""``make test``: lint, types, documentation, then the tests from the quickest to the slowest, until one fails."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from lab import (
    command,
    console,
    control,
    docker_engine,
    docs,
    installation,
    node_image,
    packages,
    preflight,
    settings,
    teardown,
)
from sahara_docker import exceptions

#: Environments with releases of Nova that the driver is for besides the lab's, named as their lock files.
NOVAS = ("nova-31", "nova-34")

LINTED = ("sahara_docker", "nova", "lab", "tests", "benchmarks", "docs", "setup.py")


def run(lab: settings.Lab) -> None:
    """Run everything; the end-to-end tests take the lab up and down, and leave it down.

    :raises SaharaDockerError: when something failed; its output is above.
    """
    running = control.is_up(lab)
    if not running:
        control.stop(lab)
    preflight.check(lab, running=running)
    console.say("The tests use the lab, and take it down at their end together with what is in it.")
    installation.announce(lab, tests=True)
    packages.install_packages(lab, packages.missing(tests=True))
    tools = prepare(lab)
    there = [name for name in LINTED if (settings.CHECKOUT / name).exists()]
    run_part("lint", [tools / "ruff", "check", "--no-cache", *there])
    run_part("format", [tools / "ruff", "format", "--no-cache", "--check", *there])
    run_part("types", [tools / "mypy", f"--cache-dir={lab.cache / 'mypy'}", "sahara_docker", "lab"])
    docs.build(lab)
    environment = variables(lab, tools)
    pytest = [tools / "python", "-m", "pytest", "-p", "no:cacheprovider", "-q", "-x"]
    for part in _parts("unit"):
        run_part(part, [*pytest, part], environment, timeout=300)
    _, image = installation.up(lab)
    try:
        environment |= node_variables(lab, image)
        for part in (*_parts("contract"), *_parts("functional")):
            run_part(part, [*pytest, "--durations=5", part], environment, timeout=1500)
        for name in NOVAS:
            run_with_nova(lab, name, environment)
        if docker_engine.is_ours(lab):
            del environment["DOCKER_HOST"]  # `make demo` would take it for an engine of the machine
        run_part("tests/end_to_end", [*pytest, "-s", "tests/end_to_end"], environment, timeout=2400)
    finally:
        teardown.down(lab)
    console.step("everything passed")


def prepare(lab: settings.Lab) -> Path:
    """Install the environment that tests run in, with the project as it is now; the directory of its programs."""
    packages.install_packages(lab, packages.missing())
    home = packages.install_environment(lab, "test", "test.txt")
    packages.install_project(lab, "test")
    console.step("environment for the tests is there")
    return home / "bin"


def run_with_nova(lab: settings.Lab, name: str, environment: dict[str, str]) -> None:
    """Hold the driver to the contract of another Nova.

    :param name: of the environment with it, and of its lock file.
    :param environment: variables of a process that tests.
    """
    tools = packages.install_environment(lab, name, f"{name}.txt") / "bin"
    packages.install_project(lab, name)
    words = [tools / "python", "-m", "pytest", "-p", "no:cacheprovider", "-q", "-x", "--durations=5"]
    environment = {**environment, "PATH": f"{tools}:{environment['PATH']}"}
    run_part(f"tests/contract/nova with {name}", [*words, "tests/contract/nova"], environment, timeout=1500)


def variables(lab: settings.Lab, tools: Path) -> dict[str, str]:
    """Environment variables of a process that tests."""
    return {
        **os.environ,
        "LAB_STATE": str(lab.state),
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "XDG_CACHE_HOME": str(lab.cache / "test-cache"),
        "HOME": str(lab.data),
    }


def node_variables(lab: settings.Lab, image: node_image.Image) -> dict[str, str]:
    """Further ones for a process that starts nodes of *image*."""
    return {
        "DOCKER_HOST": docker_engine.host(lab),
        "SAHARA_DOCKER_TEST_IMAGE": image.tag,
        "SAHARA_DOCKER_TEST_PASSWORD": lab.node_password,
    }


def _parts(kind: str) -> list[str]:
    """Directories and files of *kind*, each a process of its own: Nova and Sahara cannot be imported into one.

    Both register an option called ``host`` on the same global object.
    """
    place = settings.CHECKOUT / "tests" / kind
    found = [*place.glob("*/__init__.py"), *place.glob("test_*.py")]
    parts = [path.parent if path.name == "__init__.py" else path for path in found]
    return sorted(str(path.relative_to(settings.CHECKOUT)) for path in parts)


def run_part(what: str, words: list[object], environment: dict[str, str] | None = None, timeout: float = 300) -> None:
    """Run one command with its output on ours.

    :param timeout: seconds.
    :raises SaharaDockerError: when it fails or takes too long.
    :raises KeyboardInterrupt: after Ctrl-C, when it has ended.
    """
    console.step(f"{what} ...")
    process = subprocess.Popen(
        [str(word) for word in words], cwd=settings.CHECKOUT, env=environment, start_new_session=True
    )
    deadline = time.monotonic() + timeout
    while process.poll() is None:
        if command.interrupted.is_set() or time.monotonic() > deadline:
            command.end_group(process)
            break
        time.sleep(0.2)
    if command.interrupted.is_set():
        raise KeyboardInterrupt
    if process.returncode:
        observed = f"exit status {process.returncode}; its output is above"
        if time.monotonic() > deadline:
            observed = f"not done in {timeout:.0f} s"
        raise exceptions.SaharaDockerError(f"{what} failed", observed=observed)

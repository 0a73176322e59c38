# SPDX-License-Identifier: Apache-2.0
"""``make test``: lint, types, documentation, then the tests from the quickest to the slowest, until one fails.

With ``KEEP_GOING=1`` the other parts are run too, and the failed ones named at the end.
"""

from __future__ import annotations

import os
from pathlib import Path

from lab import (
    console,
    control,
    docker_engine,
    docs,
    installation,
    node_image,
    packages,
    parts,
    preflight,
    settings,
    teardown,
)
from lab.parts import Part
from sahara_docker import exceptions

#: Environments with releases of Nova that the driver is for besides the lab's, named as their lock files.
NOVAS = ("nova-31", "nova-34")

#: Parts that run at a time. They wait for containers and daemons more than they compute.
LANES = 2
#: Started first, lest one of them runs alone at the end.
LONGEST = ("tests/functional/nova", "tests/functional/cdh_docker", "tests/contract/stock")

LINTED = ("sahara_docker", "nova", "lab", "tests", "benchmarks", "docs", "setup.py")


def run(lab: settings.Lab) -> None:
    """Run everything; the end-to-end tests take the lab up and down, and leave it down.

    :raises SaharaDockerError: when something failed; its output is above.
    """
    failed: list[str] | None = [] if os.environ.get("KEEP_GOING") else None
    running = control.is_up(lab)
    if not running:
        control.stop(lab)
    preflight.check(lab, running=running)
    console.say("The tests use the lab, and take it down at their end together with what is in it.")
    installation.announce(lab, tests=True)
    packages.install_packages(lab, packages.missing(tests=True))
    tools = prepare(lab)
    there = [name for name in LINTED if (settings.CHECKOUT / name).exists()]
    parts.run(Part("lint", [tools / "ruff", "check", "--no-cache", *there]), failed)
    parts.run(Part("format", [tools / "ruff", "format", "--no-cache", "--check", *there]), failed)
    parts.run(Part("types", [tools / "mypy", f"--cache-dir={lab.cache / 'mypy'}", "sahara_docker", "lab"]), failed)
    docs.build(lab)
    environment = variables(lab, tools)
    logs = lab.log / "test"
    units = [_pytest(name, tools, environment, 300) for name in _names("unit")]
    parts.run_side_by_side(units, LANES, logs, failed)
    others = [(name, _prepare_nova(lab, name)) for name in NOVAS]
    _, image = installation.up(lab)
    try:
        environment |= node_variables(lab, image)
        tests = [_pytest(name, tools, environment, 1800) for name in (*_names("functional"), *_names("contract"))]
        tests += [_with_nova(name, its_tools, environment) for name, its_tools in others]
        tests.sort(key=lambda one: one.name not in LONGEST)
        parts.run_side_by_side(tests, LANES, logs, failed)
        if docker_engine.is_ours(lab):
            del environment["DOCKER_HOST"]  # `make demo` would take it for an engine of the machine
        parts.run(_pytest("tests/end_to_end", tools, environment, 3600, "-s"), failed)
    finally:
        teardown.down(lab)
    if failed:
        raise exceptions.SaharaDockerError("tests failed; their output is above", observed=", ".join(failed))
    console.step("everything passed")


def prepare(lab: settings.Lab) -> Path:
    """Install the environment that tests run in, with the project as it is now; the directory of its programs."""
    packages.install_packages(lab, packages.missing())
    home = packages.install_environment(lab, "test", "test.txt")
    packages.install_project(lab, "test")
    console.step("environment for the tests is there")
    return home / "bin"


def _pytest(
    path: str, tools: Path, environment: dict[str, str], timeout: float, *words: str, name: str | None = None
) -> Part:
    """The tests below *path*, a process of their own."""
    program = [tools / "python", "-m", "pytest", "-p", "no:cacheprovider", "-q", "--durations=5"]
    if not os.environ.get("KEEP_GOING"):
        program.append("-x")
    return Part(name or path, [*program, *words, path], environment, timeout)


def _prepare_nova(lab: settings.Lab, name: str) -> Path:
    """Install another Nova with the project: the environment and lock file called *name*; its programs' directory."""
    home = packages.install_environment(lab, name, f"{name}.txt")
    packages.install_project(lab, name)
    return home / "bin"


def _with_nova(name: str, tools: Path, environment: dict[str, str]) -> Part:
    """The driver's contract, held against the Nova of *tools*."""
    environment = {**environment, "PATH": f"{tools}:{environment['PATH']}"}
    return _pytest("tests/contract/nova", tools, environment, 1800, name=f"tests/contract/nova with {name}")


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


def _names(kind: str) -> list[str]:
    """Directories and files of *kind*, each a process of its own: Nova and Sahara cannot be imported into one.

    Both register an option called ``host`` on the same global object.
    """
    place = settings.CHECKOUT / "tests" / kind
    found = [*place.glob("*/__init__.py"), *place.glob("test_*.py")]
    names = [path.parent if path.name == "__init__.py" else path for path in found]
    return sorted(str(path.relative_to(settings.CHECKOUT)) for path in names)

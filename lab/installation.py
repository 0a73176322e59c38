# SPDX-License-Identifier: Apache-2.0
"""From a fresh machine to a running OpenStack with the node image registered."""

from __future__ import annotations

import os
from pathlib import Path

from lab import (
    command,
    compute_hosts,
    console,
    control,
    dashboard,
    docker_engine,
    fingerprint,
    node_image,
    object_store,
    packages,
    plan,
    preflight,
    registration,
    rest,
    settings,
)
from sahara_docker import exceptions


def up(lab: settings.Lab) -> tuple[rest.Cloud, node_image.Image]:
    """Bring the lab up, installing what is missing; quick and harmless when it is up already.

    :raises SaharaDockerError: with the first thing that failed; what this call had started is then stopped again.
    :raises KeyboardInterrupt: after Ctrl-C, likewise.
    """
    running = control.is_up(lab)
    built: dict[str, node_image.Image] = {}
    reason = _choose(lab)
    if running and not reason and _code() != (lab.run / "code").read_text():
        reason = "the code changed since the lab was started"
    if running and reason:
        console.step(reason)
        console.step("restarting the services")
        running = False
        control.stop(lab)
    if not running and control.stop(lab):
        console.step("ended what an earlier run had left behind")
    preflight.check(lab, running=running)
    announce(lab)
    try:
        plan.run(_steps(lab, running, built), _show, command.cancelled)
        if command.interrupted.is_set():
            raise KeyboardInterrupt
    except plan.StepFailed as failure:
        _undo(lab, running)
        if command.interrupted.is_set():
            raise KeyboardInterrupt from failure
        if isinstance(failure.__cause__, (exceptions.SaharaDockerError, KeyboardInterrupt)):
            raise failure.__cause__ from failure
        raise
    except KeyboardInterrupt:
        _undo(lab, running)
        raise
    return rest.Cloud(lab), built["image"]


def _choose(lab: settings.Lab) -> str:
    """Decide what the lab has, and say what it gets in addition to what it had."""
    hosts, store, horizon = len(compute_hosts.all_of(lab)), object_store.is_chosen(lab), dashboard.is_chosen(lab)
    more = []
    if compute_hosts.choose(lab) > hosts:
        more.append(f"{len(compute_hosts.all_of(lab))} compute hosts")
    if object_store.choose(lab) and not store:
        more.append("an object store")
    if dashboard.choose(lab) and not horizon:
        more.append("a dashboard")
    return " and ".join(more)


def _undo(lab: settings.Lab, running: bool) -> None:
    """Leave nothing half-started; what was running before this command stays."""
    if not running and control.stop(lab):
        console.step("stopped what this command had started")


def announce(lab: settings.Lab, environment: str = "openstack", *, tests: bool = False) -> None:
    """Say what will be installed and which Docker engine is used, before anything is.

    :param environment: name of the Python environment that will be needed.
    :param tests: whether the tests' own packages will be needed.
    """
    for directory in (lab.state, lab.cache, lab.data, lab.log, lab.run):
        directory.mkdir(parents=True, exist_ok=True)
    missing = packages.missing(tests=tests, store=object_store.is_chosen(lab))
    engine = docker_engine.choose(lab)  # before apt, which may bring and even start another one
    if missing:
        console.say(f"Will install by apt: {' '.join(missing)}")
    home = lab.cache / environment
    if not (home / "fingerprint").exists():
        console.say(f"Will install OpenStack's Python packages into {home} (0.5 GB)")
    if dashboard.is_chosen(lab) and not (lab.cache / dashboard.NAME / "fingerprint").exists():
        console.say(f"Will install Horizon's Python packages into {lab.cache / dashboard.NAME} (0.25 GB)")
    if not any(lab.node_image.glob("node-*.tar")):
        console.say("Will fetch Debian packages for the nodes by mmdebstrap, Hadoop, Oozie and Hive by Maven (0.8 GB)")
    console.say(
        "Docker: a daemon of the lab, without bridge or iptables rules"
        if docker_engine.is_ours(lab)
        else f"Docker: the engine at {engine}"
    )


def _steps(lab: settings.Lab, running: bool, built: dict[str, node_image.Image]) -> list[plan.Step]:
    def debian_packages() -> None:
        packages.install_packages(lab, packages.missing(store=object_store.is_chosen(lab)))

    def environment() -> None:
        packages.install_environment(lab)
        packages.provide_path(lab)

    def openstack() -> None:
        write_openrc(lab)
        if not running:
            (lab.run / "code").write_text(_code())
            control.start(lab)
        control.await_ready(lab, lambda name, seconds: console.step(f"  {name}", seconds))

    def inputs() -> None:
        node_image.prepare(lab.node_image, lambda text: console.step(f"  {text}"))

    def image() -> None:
        def alive() -> None:
            if command.cancelled.is_set():
                raise exceptions.SaharaDockerError("cut short", where="node image")

        rest.wait_until(lambda: docker_engine.answers(docker_engine.host(lab)), timeout=180, alive=alive)
        built["image"] = node_image.build(
            lab.node_image, docker_engine.host(lab), lab.node_password, lambda text: console.step(f"  {text}")
        )

    def register() -> None:
        registration.register(lab, rest.Cloud(lab), built["image"], client_environment(lab))

    more, needed = [], ["this project in it"]
    if dashboard.is_chosen(lab):
        # Behind the other environment, which brings the installer.
        more.append(plan.Step("Horizon", lambda: dashboard.install(lab), ("OpenStack's Python environment",)))
        needed.append("Horizon")
    return [
        plan.Step("packages", debian_packages),
        plan.Step("OpenStack's Python environment", environment, ("packages",)),
        plan.Step("this project in it", lambda: packages.install_project(lab), ("OpenStack's Python environment",)),
        *more,
        plan.Step("Debian base and Hadoop", inputs, ("packages",)),
        plan.Step("OpenStack", openstack, tuple(needed)),
        plan.Step("node image", image, ("Debian base and Hadoop",)),
        plan.Step("node image in Glance and Sahara", register, ("node image", "OpenStack")),
    ]


def _code() -> str:
    """Fingerprint of everything that a running service may have been started from."""
    names = ("sahara_docker", "nova", "lab", "requirements", "setup.cfg")
    return fingerprint.of(*(settings.CHECKOUT / name for name in names))


def _show(event: plan.Event) -> None:
    if event.seconds is not None and event.error is None:
        console.step(event.step, event.seconds)


def write_openrc(lab: settings.Lab) -> Path:
    """Write the file that a user sources to use the ordinary client."""
    variables = client_environment(lab)
    path = lab.state / "openrc"
    cache = lab.cache / "client"
    cache.mkdir(parents=True, exist_ok=True)
    lines = [f"export {name}='{value}'\n" for name, value in variables.items()]
    lines.append(f"export PATH='{lab.venv}/bin':\"$PATH\"\n")
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.writelines(lines)
    if "SUDO_UID" in os.environ:  # the one who typed the command shall be able to use it
        for one in (path, cache):
            os.chown(one, int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"]))
    return path


def client_environment(lab: settings.Lab) -> dict[str, str]:
    """The ``OS_`` variables of the lab's admin."""
    return {
        "OS_AUTH_URL": f"{lab.url('keystone')}/v3",
        "OS_USERNAME": "admin",
        "OS_PASSWORD": lab.secrets["admin"],
        "OS_PROJECT_NAME": "admin",
        "OS_USER_DOMAIN_NAME": "Default",
        "OS_PROJECT_DOMAIN_NAME": "Default",
        "OS_REGION_NAME": settings.REGION,
        "OS_IDENTITY_API_VERSION": "3",
        "XDG_CACHE_HOME": str(lab.cache / "client"),
    }

# SPDX-License-Identifier: Apache-2.0
"""Showing what runs, and taking it all away again."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from pathlib import Path

from lab import compute_hosts, console, control, dashboard, docker_engine, network, node_image, settings
from sahara_docker import exceptions

#: Label that the compute driver puts on all it makes in Docker, with the name of the compute host.
HOST_LABEL = "nova.host"


def status(lab: settings.Lab) -> int:
    """Print the state of the lab; 0 when it is ready."""
    state = control.read(lab)
    console.say(f"lab in {lab.state}: {state['phase']}")
    for name, one in state["services"].items():
        restarts = f", {one['restarts']} restarts" if one["restarts"] else ""
        console.say(f"  {name:14} {one['state']}{restarts}  log {lab.log / name}.log")
    if state["phase"] == "ready":
        console.say(f"use it with: source {lab.state}/openrc")
        if dashboard.is_chosen(lab):
            console.say(f"or in a browser: {dashboard.words(lab)}")
    return 0 if state["phase"] == "ready" else 1


def down(lab: settings.Lab) -> None:
    """Stop and remove everything of this lab but its cache and its logs; harmless when there is nothing."""
    began = time.monotonic()
    if not lab.state.exists():
        console.say(f"nothing to take down: there is no {lab.state}")
        return
    if control.read(lab)["phase"] != "ready":
        control.stop(lab)  # what is left of a lab could make containers anew
    failure = None
    if docker_engine.is_chosen(lab):
        for host in compute_hosts.all_of(lab):
            try:
                with docker_engine.running(lab, host.number):  # only the daemon can end its containers
                    _remove_containers(host)
            except exceptions.SaharaDockerError as error:
                failure = error  # the rest goes all the same
    control.stop(lab)
    network.remove(lab)
    _unmount(lab)
    _detach_disks(lab)
    if failure is not None:
        raise failure  # with the lab's data, so that a second try finds what the first could not remove
    docker_engine.clean_machine(lab)
    if lab.data.exists():
        # Renamed first: a removal that is cut short must not leave half a database where a new lab would look for it.
        doomed = lab.state / "data.removed"
        shutil.rmtree(doomed, ignore_errors=True)
        lab.data.rename(doomed)
        shutil.rmtree(doomed)
    for directory in (lab.run, lab.etc):
        shutil.rmtree(directory, ignore_errors=True)
    (lab.state / "openrc").unlink(missing_ok=True)
    console.step("the lab is down; logs and caches stay in " + str(lab.state), time.monotonic() - began)


def _remove_containers(host: compute_hosts.ComputeHost) -> None:
    """Remove the containers that a host's nova-compute made, and on a daemon of the machine its images too."""
    lab, address = host.lab, host.docker
    if not docker_engine.answers(address):
        raise exceptions.SaharaDockerError(
            "the Docker daemon does not answer, so containers of the lab may be left in it",
            where=address,
            remedy="start it and run this again",
        )
    control.drain(lab)  # Nova must not bring back what is being removed
    mine = f"{HOST_LABEL}={host.name}"
    docker_engine.remove_labelled(address, mine)
    if not host.has_own_docker:
        tags = docker_engine.client(address, "images", "--format={{.Repository}}:{{.Tag}}").split()
        # Loaded from this lab's Glance, whose store names each file by the image's id; or built for it.
        loaded = tuple(f"nova/{file.name}:" for file in (lab.data / "glance/images").glob("*"))
        ours = [tag for tag in tags if tag.startswith((*node_image.REPOSITORIES, *loaded))]
        if ours:
            docker_engine.client(address, "rmi", "--force", *ours)


def _unmount(lab: settings.Lab) -> None:
    """Detach what a killed daemon left mounted below the state directory."""
    below = f"{lab.state}/"
    for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
        place = line.split()[1]
        if place.startswith(below):
            subprocess.run(["umount", "--lazy", place], capture_output=True, timeout=10, check=False)


def _detach_disks(lab: settings.Lab) -> None:
    """Take the data disks of instances that were not deleted off their loop devices."""
    below = f"{lab.state}/"
    for device in Path("/sys/block").glob("loop*/loop/backing_file"):
        with contextlib.suppress(OSError):  # it has just been detached
            if device.read_text().startswith(below):
                loop = f"/dev/{device.parent.parent.name}"
                subprocess.run(["losetup", "--detach", loop], capture_output=True, timeout=10, check=False)

# SPDX-License-Identifier: Apache-2.0
"""The Docker daemons that run the lab's instances.

For the first compute host that is the machine's own where one runs, else one of the lab's; each further host has one of
the lab's.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from lab import settings
from lab.service import Service, Supervised
from sahara_docker import exceptions

#: What Debian's dockerd and its containerd write outside the directories that they are given, files before directories.
_DAEMONS_OWN = ("/etc/docker/key.json", "/etc/docker", "/opt/containerd", "/run/containerd", "/run/docker")
DEFAULT_HOST = "unix:///var/run/docker.sock"


def machine_host() -> str | None:
    """Address of a daemon that is not the lab's: ``$DOCKER_HOST``, else Docker's default when it answers."""
    named = os.environ.get("DOCKER_HOST")
    if named:
        return named
    return DEFAULT_HOST if answers(DEFAULT_HOST) else None


def own_host(lab: settings.Lab, number: int = 1) -> str:
    return f"unix://{lab.run}/{settings.numbered('docker', number)}.sock"


def host(lab: settings.Lab, number: int = 1) -> str:
    """Address of the daemon of one of the lab's compute hosts."""
    if number > 1:
        return own_host(lab, number)
    return (lab.data / "docker-host").read_text().strip()


def choose(lab: settings.Lab) -> str:
    """Decide once for the life of a lab which daemon it uses, and remember it.

    Containers of a lab live in one daemon; one that appears later on the machine must not take its place.
    """
    chosen = lab.data / "docker-host"
    if not is_chosen(lab):
        chosen.parent.mkdir(parents=True, exist_ok=True)
        absent = [path for path in _DAEMONS_OWN if not Path(path).exists()]
        (lab.data / "absent-before").write_text("\n".join(absent))
        chosen.write_text(machine_host() or own_host(lab))
    return host(lab)


def clean_machine(lab: settings.Lab) -> None:
    """Remove what the lab's daemon wrote outside its directories, unless it was there before the lab."""
    absent = lab.data / "absent-before"
    if not is_chosen(lab) or not is_ours(lab) or not absent.exists():
        return
    for path in absent.read_text().splitlines():
        for one in (*sorted(Path(path).rglob("*"), reverse=True), Path(path)):
            with contextlib.suppress(OSError):  # a directory with something in it: somebody else's by now
                if one.is_dir():
                    one.rmdir()
                elif one.is_socket() or one.name == "key.json":
                    one.unlink()


def is_chosen(lab: settings.Lab) -> bool:
    """Whether :func:`choose` has been called for this lab."""
    return (lab.data / "docker-host").exists()


def is_ours(lab: settings.Lab, number: int = 1) -> bool:
    return host(lab, number) == own_host(lab, number)


def answers(address: str, timeout: float = 5) -> bool:
    """Whether a daemon answers ``GET /_ping`` at *address* (``unix://`` or ``tcp://``)."""
    url = urllib.parse.urlsplit(address)
    try:
        connection = http.client.HTTPConnection(url.hostname or "localhost", url.port or 2375, timeout=timeout)
        if url.scheme == "unix":
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(timeout)
            connection.sock.connect(url.path)
        connection.request("GET", "/_ping")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False


def check(lab: settings.Lab) -> None:
    """Raise unless the machine's daemon answers."""
    if not answers(host(lab)):
        raise exceptions.SaharaDockerError(
            "the Docker daemon does not answer",
            where=host(lab),
            remedy="start it, or run `make demo-down` so that the lab chooses anew",
        )


@contextlib.contextmanager
def running(lab: settings.Lab, number: int = 1) -> Iterator[None]:
    """The lab's own daemon for a compute host, started for the time of the block when it does not run."""
    started = None
    if is_ours(lab, number) and not answers(host(lab, number)):
        lab.etc.mkdir(parents=True, exist_ok=True)
        lab.run.mkdir(parents=True, exist_ok=True)
        environment = {"PATH": os.environ["PATH"], settings.MARK: str(lab.state)}
        # Its own event: an interrupt may be past.
        log = lab.log / f"{settings.numbered('docker', number)}.log"
        started = Supervised(service(lab, number), log, environment, threading.Event())
        started.start()
    try:
        yield
    finally:
        if started is not None:
            started.stop()


def remove_labelled(address: str, label: str) -> None:
    """Remove all containers and volumes with a label (``name=value``), and the containers' anonymous volumes."""
    containers = client(address, "ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={label}").split()
    if containers:
        client(address, "rm", "--force", "--volumes", *containers)
    volumes = client(address, "volume", "ls", "--quiet", "--filter", f"label={label}").split()
    if volumes:
        client(address, "volume", "rm", "--force", *volumes)


def client(address: str, *words: str, timeout: float = 120) -> str:
    """Run Docker's command-line client against *address* and return what it printed.

    :raises SaharaDockerError: with the client's own words.
    """
    words = ("docker", "--host", address, *words)
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=timeout, check=False, start_new_session=True
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise exceptions.SaharaDockerError("docker failed", where=address, observed=str(error)) from error
    if done.returncode:
        raise exceptions.SaharaDockerError(
            f"docker {words[3]} failed", where=address, observed=done.stderr.strip() or f"exit status {done.returncode}"
        )
    return done.stdout


def service(lab: settings.Lab, number: int = 1) -> Service:
    """A daemon of the lab's own for one of its compute hosts.

    It has no bridge and makes no iptables rule: instances get their network from Neutron, and nothing is left behind.
    """
    name = settings.numbered("docker", number)
    root = lab.docker_root.with_name(name)
    root.mkdir(parents=True, exist_ok=True)
    # Of a daemon that was killed: the next one takes a zombie of that number for a running daemon.
    (lab.run / f"{name}.pid").unlink(missing_ok=True)
    (lab.run / f"{name}/containerd/containerd.pid").unlink(missing_ok=True)
    program = shutil.which("dockerd") or "/usr/sbin/dockerd"
    return Service(
        name,
        (
            program,
            f"--host={own_host(lab, number)}",
            f"--data-root={root}",
            f"--exec-root={lab.run}/{name}",
            f"--pidfile={lab.run}/{name}.pid",
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
            "--ip-forward=false",
            "--ip-masq=false",
            "--userland-proxy=false",
            f"--config-file={_configuration(lab)}",
        ),
        lambda started: answers(own_host(lab, number)),
        patience=20,
        last=True,
    )


def _configuration(lab: settings.Lab) -> Path:
    """An empty file, so that a ``daemon.json`` of the machine has no say in the lab."""
    path = lab.etc / "docker.json"
    path.write_text("{}\n")
    return path

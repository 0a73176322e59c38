# SPDX-License-Identifier: Apache-2.0
"""A Docker daemon, and the Nova instances on it as the driver of this package makes them."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import struct
import urllib.parse
from typing import Any, Iterator

from sahara_docker import exceptions

#: Labels that the Nova driver puts on everything it makes (``sahara_docker.nova.hypervisor``).
LABEL_HOST, LABEL_UUID, LABEL_ROLE = "nova.host", "nova.uuid", "nova.role"
DEFAULT_HOST = "unix:///var/run/docker.sock"
_ANSWER_TIMEOUT = 20
#: Loading or saving an image of gigabytes is silent for minutes.
IMAGE_TIMEOUT = 1800


class DaemonError(exceptions.SaharaDockerError):
    """The Docker daemon refused or did not answer."""


@dataclasses.dataclass(frozen=True)
class Instance:
    """A Nova instance on a daemon: what ``docker inspect`` says of its two containers.

    ``sandbox`` holds the network; None when it is not there.
    """

    uuid: str
    host: str
    workload: dict[str, Any]
    sandbox: dict[str, Any] | None

    @property
    def name(self) -> str:
        """The instance's hostname, which is what its owner knows."""
        config = (self.sandbox or self.workload)["Config"]
        return config.get("Hostname") or self.uuid

    @property
    def runs(self) -> bool:
        """Whether its processes run."""
        return bool(self.workload["State"]["Running"])


class Daemon:
    """One Docker daemon; methods may be called by several threads at once.

    :param url: such as ``unix:///var/run/docker.sock``.
    """

    def __init__(self, url: str = DEFAULT_HOST) -> None:
        self.url = url
        self._version = "auto"

    @contextlib.contextmanager
    def client(self, timeout: int = _ANSWER_TIMEOUT) -> Iterator[Any]:
        """A ``docker.APIClient``, whose errors become :class:`DaemonError`."""
        try:
            import docker
            import docker.errors
            import requests.exceptions
        except ImportError as error:
            raise DaemonError(
                "the Docker daemon cannot be asked",
                where=self.url,
                observed=str(error),
                remedy="pip install 'sahara-docker[cli]'",
            ) from error
        try:
            connection = docker.APIClient(base_url=self.url, version=self._version, timeout=timeout)
            with contextlib.closing(connection) as api:
                self._version = api.api_version  # so that it is asked for once
                yield api
        except docker.errors.APIError as error:
            raise DaemonError(
                "the Docker daemon refused", where=self.url, observed=error.explanation or str(error)
            ) from error
        except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
            denied = "PermissionError" in str(error)
            raise DaemonError(
                "the Docker daemon may not be asked" if denied else "the Docker daemon does not answer",
                where=self.url,
                observed=str(error),
                remedy="run this as root or as a member of the group docker" if denied else "systemctl start docker",
            ) from error

    def info(self) -> dict[str, Any]:
        """What the daemon says of itself."""
        with self.client() as api:
            return api.info()

    def process(self) -> int:
        """Number of the daemon's process when it is one of this host, else 0."""
        address = urllib.parse.urlsplit(self.url)
        if address.scheme != "unix":
            return 0
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(_ANSWER_TIMEOUT)
            try:
                client.connect(address.path)
                credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            except OSError:
                return 0
        return struct.unpack("3i", credentials)[0]

    def instances(self) -> list[Instance]:
        """Nova's instances, running or not, of every compute service that uses the daemon."""
        with self.client() as api:
            import docker.errors

            workloads: dict[str, dict[str, Any]] = {}
            sandboxes: dict[str, dict[str, Any]] = {}
            for one in api.containers(all=True, filters={"label": LABEL_UUID}):
                place = sandboxes if one["Labels"].get(LABEL_ROLE) == "sandbox" else workloads
                with contextlib.suppress(docker.errors.NotFound):  # removed meanwhile
                    place[one["Labels"][LABEL_UUID]] = api.inspect_container(one["Id"])
        return [
            Instance(uuid, found["Config"]["Labels"].get(LABEL_HOST, ""), found, sandboxes.get(uuid))
            for uuid, found in workloads.items()
        ]

    def images(self) -> dict[str, dict[str, Any]]:
        """Images by each of their names."""
        with self.client() as api:
            return {tag: image for image in api.images() for tag in image["RepoTags"] or []}

    def image(self, name: str) -> dict[str, Any]:
        """What ``docker inspect`` says of an image.

        :raises DaemonError: there is no such image.
        """
        with self.client() as api:
            import docker.errors

            try:
                return api.inspect_image(name)
            except docker.errors.ImageNotFound as error:
                raise DaemonError(
                    "the Docker daemon has no such image", where=self.url, observed=name, remedy="docker images"
                ) from error

    def run_in(self, container: str, words: list[str]) -> tuple[int, str]:
        """Run a command as root in a container; return its exit status and what it printed."""
        with self.client(timeout=60) as api:
            execution = api.exec_create(container, words, user="0")["Id"]
            output = api.exec_start(execution)
            return api.exec_inspect(execution)["ExitCode"], output.decode(errors="replace")

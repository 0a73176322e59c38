# SPDX-License-Identifier: Apache-2.0
"""The Docker daemon as a hypervisor: connection, errors, capacity, and which instances it has."""

from __future__ import annotations

import contextlib
import os
import time
from typing import Any, Iterable, Iterator, Mapping, NamedTuple

import docker
import docker.errors
import requests.exceptions
from nova import exception
from oslo_log import log as logging
from oslo_utils import versionutils

from sahara_docker import exceptions
from sahara_docker.nova import limits, privileged

LOG = logging.getLogger(__name__)

# What the daemon says of the host's control groups, the same words for v1 and v2.
_LIMITS = ("MemoryLimit", "SwapLimit", "CPUShares", "CpuCfsQuota", "PidsLimit")
LABEL_HOST, LABEL_UUID, LABEL_NAME, LABEL_ROLE = "nova.host", "nova.uuid", "nova.name", "nova.role"

# Seconds. The daemon answers most calls in milliseconds; loading or committing an image of gigabytes is silent for
# minutes.
_ANSWER_TIMEOUT = 120
_IMAGE_TIMEOUT = 1800


class DaemonError(exceptions.SaharaDockerError, exception.NovaException):
    """The Docker daemon refused or did not answer; as a Nova exception its text becomes the instance's fault."""


@contextlib.contextmanager
def explained(what: str, instance: Any = None) -> Iterator[None]:
    """Turn the client's exceptions into Nova's.

    :raises nova.exception.InstanceNotFound: the daemon does not have the instance's container.
    :raises DaemonError: for everything else.
    """
    where = f"instance {instance.uuid}" if instance is not None else ""
    try:
        yield
    except docker.errors.APIError as error:
        # Not for an image or a volume that is missing: Nova takes the instance for deleted then, and says nothing.
        if instance is not None and error.status_code == 404 and "No such container" in str(error.explanation):
            raise exception.InstanceNotFound(instance_id=instance.uuid) from error
        raise DaemonError(what, where=where, observed=error.explanation or str(error)) from error
    except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
        raise DaemonError(
            what,
            where=where,
            observed=str(error),
            remedy="see that the Docker daemon runs and that [docker] host names its socket",
        ) from error


class Capacity(NamedTuple):
    """What a host has in all, whoever uses it."""

    cpus: int
    memory_mb: int
    disk_gb: int
    disk_free_gb: int
    version: int


class Hypervisor:
    """A Docker daemon and the containers that one compute service has on it.

    :param url: of the daemon, as docker-py takes it.
    :param host: name of the compute service. Containers of another service are never touched, although one daemon
        should serve one service.
    """

    def __init__(self, url: str, host: str) -> None:
        self.url, self.host = url, host
        self._api: docker.APIClient | None = None
        self._image_api: docker.APIClient | None = None
        self._architecture: str | None = None
        self._root_quota: bool | None = None
        self._ceilings: dict[str, int] | None = None

    def connect(self) -> dict[str, Any]:
        """Reach the daemon and return what it says of itself.

        :raises DaemonError: it does not answer, is too old, or does not run Linux containers.
        """
        with explained(f"no Docker daemon answers at {self.url}"):
            info = self.api.info()
        if info.get("OSType") != "linux":
            raise DaemonError(f"the Docker daemon at {self.url} does not run Linux containers", observed=info["OSType"])
        if missing := [name for name in _LIMITS if info.get(name) is False]:
            LOG.warning("The Docker daemon cannot hold instances to their flavors: no %s", ", ".join(missing))
        if not info.get("LiveRestoreEnabled"):
            LOG.info('Instances stop with the Docker daemon unless "live-restore" is set in its daemon.json')
        return info

    def answers(self) -> bool:
        """Whether the daemon is there now."""
        with contextlib.suppress(DaemonError), explained("no answer"):
            return self.api.ping()
        return False

    def _client(self, timeout: int) -> docker.APIClient:
        return docker.APIClient(base_url=self.url, version="auto", timeout=timeout)

    @property
    def api(self) -> docker.APIClient:
        """The daemon's API for calls that it answers soon."""
        if self._api is None:
            self._api = self._client(_ANSWER_TIMEOUT)
        return self._api

    @property
    def image_api(self) -> docker.APIClient:
        """The daemon's API for calls that move whole images."""
        if self._image_api is None:
            self._image_api = self._client(_IMAGE_TIMEOUT)
        return self._image_api

    @property
    def architecture(self) -> str:
        """Of the daemon's host, as Go calls it, such as ``amd64``."""
        if self._architecture is None:
            with explained("cannot ask for the architecture"):
                self._architecture = str(self.api.version()["Arch"])
        return self._architecture

    @property
    def root_quota(self) -> bool:
        """Whether the daemon can hold an instance's root file system to a size."""
        if self._root_quota is None:
            with explained("cannot ask for the storage driver"):
                self._root_quota = _can_limit_roots(self.api.info())
        return self._root_quota

    @property
    def ceilings(self) -> dict[str, int]:
        """Hard limits that the daemon cannot raise for a container."""
        if self._ceilings is None:
            self._ceilings = limits.daemon_ceilings(self.url)
            if self._ceilings:
                LOG.info("Limits of instances are lowered to what the Docker daemon can grant: %s", self._ceilings)
        return self._ceilings

    def instances(self) -> dict[str, str]:
        """Return UUID -> name of the instances that have a container or a volume here."""
        ours = {"label": f"{LABEL_HOST}={self.host}"}
        with explained("cannot list instances"):
            found = self.api.containers(all=True, filters=ours) + (self.api.volumes(filters=ours)["Volumes"] or [])
        return {thing["Labels"][LABEL_UUID]: thing["Labels"][LABEL_NAME] for thing in found}

    def is_running(self, container: str) -> bool:
        """Return whether there is a container of this name and it runs."""
        with explained(f"cannot inspect the container {container}"):
            try:
                return self.api.inspect_container(container)["State"]["Running"]
            except docker.errors.NotFound:
                return False

    def events(self, actions: Iterable[str]) -> Any:
        """Return a stream of the events of this host's containers; it has ``close``, and never ends by itself.

        It begins when the daemon answers. A daemon that was killed stops what it finds running before it does, and
        keeps these stops for whoever asks for an earlier time.

        :raises Exception: while it is read, whatever the connection dies of.
        """
        filters = {"type": "container", "event": list(actions), "label": f"{LABEL_HOST}={self.host}"}
        client = self._client(_ANSWER_TIMEOUT)  # of its own, because it keeps its connection; has asked for the version
        return client.events(since=f"{time.time():.6f}", filters=filters, decode=True)

    def capacity(self, instances_path: str, *, has_data: bool) -> Capacity:
        """Return what the host has. Of its file systems one counts as the disk, so that nothing counts twice.

        :param instances_path: where nova-compute keeps files of instances.
        :param has_data: whether the instances' data volumes are there. Then its file system counts; else that of the
            daemon's own directory, if that is on this host.
        """
        with explained("cannot ask for the capacity of the host"):
            info = self.api.info()
        disk = None if has_data else privileged.disk_of_root(info["DockerRootDir"])
        disk = disk or privileged.disk(instances_path)
        assert disk is not None, "Nova's own directory is there"
        return Capacity(
            cpus=info["NCPU"],
            memory_mb=info["MemTotal"] >> 20,
            disk_gb=disk[0] >> 30,
            disk_free_gb=disk[1] >> 30,
            version=_version_number(info["ServerVersion"]),
        )


def _can_limit_roots(info: Mapping[str, Any], mounts: str = "/proc/self/mounts") -> bool:
    """Return whether the daemon takes ``--storage-opt size`` (Docker, "docker run", "Set storage driver options").

    :param info: what the daemon says of itself.
    """
    if info["Driver"] in ("btrfs", "zfs"):
        return True
    if info["Driver"] != "overlay2" or ["Backing Filesystem", "xfs"] not in (info.get("DriverStatus") or []):
        return False
    with open(mounts, encoding="utf-8") as lines:
        options = {point: options for _, point, _, options, *_ in map(str.split, lines)}
    place = info["DockerRootDir"]
    while place not in options and place != "/":
        place = os.path.dirname(place)
    return not {"pquota", "prjquota"}.isdisjoint(options.get(place, "").split(","))


def _version_number(version: str) -> int:
    """20.10.24+dfsg1 -> 20010024, as Nova's database wants it."""
    digits = version.split("+")[0].split("-")[0]
    try:
        return versionutils.convert_version_to_int(digits)
    except ValueError:
        return 0

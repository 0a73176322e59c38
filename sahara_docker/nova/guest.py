# SPDX-License-Identifier: Apache-2.0
"""One instance: two containers.

The *sandbox* holds the network namespace and does nothing. The *workload* runs the image and joins that namespace. So
the network is complete before the workload's first process starts, and survives its end; a container that owns its
namespace loses the interfaces with every restart. Interfaces die with the sandbox, so only destroying the instance
ends it; after the daemon or the host was down, :meth:`Guest.start_sandbox` and a new plug bring them back.
"""

from __future__ import annotations

import http
import io
import os
import tarfile
import time
from typing import IO, Any, Iterator, NamedTuple

import docker.errors
import docker.types
from nova import exception
from nova.compute import power_state
from nova.virt import hardware

from sahara_docker.nova import execution, hypervisor, identity, limits

_BLOCK = 1 << 20
_CONSOLE_LINES = 2000
_REMOVAL_TIMEOUT = 60  # seconds
# The sandbox runs a program of the tenant's image, so it gets no more than a program needs to sleep.
_SANDBOX_MEMORY = 32 << 20
_SANDBOX_LIMITS: dict[str, Any] = {
    "mem_limit": _SANDBOX_MEMORY,
    "memswap_limit": _SANDBOX_MEMORY,
    "pids_limit": 16,
    "cpu_shares": 2,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "read_only": True,
    "log_config": {"Type": "none", "Config": {}},
}
_NO_HEALTHCHECK = {"test": ["NONE"]}


class NetworkNamespace(NamedTuple):
    """Where a guest's interfaces live: the *path* to enter it, and the *pid* of a process in it."""

    path: str
    pid: int


class Guest:
    """The containers of one Nova instance; each method is one step, in terms of the Docker daemon.

    All methods raise ``nova.exception.InstanceNotFound`` when the instance has no such container and
    :class:`~sahara_docker.nova.hypervisor.DaemonError` when the daemon refuses, unless they say otherwise.
    """

    def __init__(self, daemon: hypervisor.Hypervisor, instance: Any) -> None:
        self._daemon, self._instance = daemon, instance
        self.workload = f"nova-{instance.uuid}"
        self.sandbox = f"{self.workload}-sandbox"
        self.data_volume = f"{self.workload}-data"
        # While the instance is rescued: its own container, and the volume by which its root is mounted.
        self.set_aside = f"{self.workload}-rescued"
        self.rescue_volume = f"{self.workload}-rescue"
        # The image of an instance that came from another host or was made anew: nobody else has it.
        self.root_image = f"nova-root/{instance.uuid}:latest"

    def labels(self, role: str) -> dict[str, str]:
        """Return what every object of the instance on the daemon is found by."""
        return {
            hypervisor.LABEL_HOST: self._daemon.host,
            hypervisor.LABEL_UUID: self._instance.uuid,
            hypervisor.LABEL_NAME: self._instance.name,
            hypervisor.LABEL_ROLE: role,
        }

    def _own_labels(self) -> list[str]:
        """Return the filter for what is this instance's and this host's."""
        labels = {hypervisor.LABEL_HOST: self._daemon.host, hypervisor.LABEL_UUID: self._instance.uuid}
        return [f"{name}={value}" for name, value in labels.items()]

    def _explained(self, what: str) -> Any:
        return hypervisor.explained(what, self._instance)

    # Creation

    def create_sandbox(
        self, image: str, names: identity.Hostname, command: list[str], network_sysctls: dict[str, str]
    ) -> None:
        """Create the sandbox from *image*, with the instance's hostname, which the workload takes from it.

        :raises nova.exception.InstanceExists: the instance has one.
        """
        api = self._daemon.api
        _, _, domain = names.fqdn.partition(".")
        sysctls = {"net.ipv4.conf.default.arp_notify": "1"}  # neighbours learn at once who has an address now
        if os.path.isdir("/proc/sys/net/ipv6"):
            # Docker disables it in a container without a network of its own.
            sysctls.update({f"net.ipv6.conf.{which}.disable_ipv6": "0" for which in ("all", "default")})
        try:
            with self._explained("cannot create the sandbox container"):
                sysctls.update(limits.reserved_ports(api.inspect_image(image)) | network_sysctls)
                api.create_container(
                    image,
                    entrypoint=command[:1],
                    command=command[1:],
                    name=self.sandbox,
                    hostname=names.short,
                    domainname=domain or None,
                    labels=self.labels("sandbox"),
                    healthcheck=_NO_HEALTHCHECK,
                    host_config=api.create_host_config(network_mode="none", sysctls=sysctls, **_SANDBOX_LIMITS),
                )
        except hypervisor.DaemonError as error:
            cause = error.__cause__
            if isinstance(cause, docker.errors.APIError) and cause.status_code == 409:
                raise exception.InstanceExists(name=self._instance.name) from error
            raise

    def create_workload(
        self,
        image: str,
        *,
        host_config: dict[str, Any],
        files: dict[str, str],
        volumes: dict[str, str],
        data_path: str,
        data_options: dict[str, str],
        environment: list[str],
        init: bool,
    ) -> None:
        """Create the workload from *image*, in the network of the sandbox.

        :param host_config: limits, as arguments of docker-py's ``create_host_config``.
        :param files: path in the instance -> path on the host, mounted writable.
        :param volumes: path in the instance -> directory on the host; what is mounted below that later appears too.
        :param data_path: where the instance's data volume goes; empty for none.
        :param data_options: of Docker's volume driver ``local`` for it.
        :param environment: ``NAME=value`` strings.
        :param init: put Docker's own init first.
        """
        api = self._daemon.api
        mounts = [docker.types.Mount(target, source, type="bind") for target, source in files.items()]
        mounts += [docker.types.Mount(t, s, type="bind", propagation="rslave") for t, s in volumes.items()]
        if data_path:
            local = docker.types.DriverConfig("local", data_options)
            mounts.append(
                docker.types.Mount(data_path, self.data_volume, labels=self.labels("data"), driver_config=local)
            )
        with self._explained("cannot create the container"):
            api.create_container(
                image,
                name=self.workload,
                labels=self.labels("workload"),
                environment=environment,
                healthcheck=limits.healthcheck(api.inspect_image(image)),
                host_config=api.create_host_config(
                    network_mode=f"container:{self.sandbox}",
                    mounts=mounts,
                    init=init or None,
                    log_config=docker.types.LogConfig(type="json-file", config={"max-size": "10m", "max-file": "2"}),
                    **host_config,
                ),
            )

    # Power

    def start_sandbox(self) -> bool:
        """Start the sandbox unless it runs; return whether it was down, so that interfaces have to be made."""
        api = self._daemon.api
        with self._explained("cannot start the sandbox container: [docker] sandbox_command must be in the image"):
            # Not docker-py's start, which does not tell 304, "already started", from 204.
            answer = api._post(api._url("/containers/{0}/start", self.sandbox))
            api._raise_for_status(answer)
        return answer.status_code != http.HTTPStatus.NOT_MODIFIED

    def network_namespace(self) -> NetworkNamespace | None:
        """Return where the interfaces live, or None while the sandbox does not run."""
        with self._explained("cannot inspect the sandbox container"):
            found = self._daemon.api.inspect_container(self.sandbox)
        if not found["State"]["Running"]:
            return None
        pid, path = found["State"]["Pid"], found["NetworkSettings"]["SandboxKey"]
        # Docker's own mount of the namespace is not visible here when the daemon has a private mount namespace.
        return NetworkNamespace(path if os.path.ismount(path) else f"/proc/{pid}/ns/net", pid)

    def network_namespace_if_any(self) -> NetworkNamespace | None:
        """Return where the interfaces live, or None when there is no sandbox that runs."""
        return self.network_namespace() if self.has(self.sandbox) else None

    def start(self) -> None:
        """Start the workload; no harm when it runs."""
        with self._explained("cannot start the container"):
            self._daemon.api.start(self.workload)

    def stop(self, timeout: int) -> None:
        """Send the image's stop signal, and kill what is left after *timeout* seconds."""
        with self._explained("cannot stop the container"):
            if self._daemon.api.inspect_container(self.workload)["State"]["Paused"]:
                self._daemon.api.unpause(self.workload)  # a frozen process takes no signal
            self._daemon.api.stop(self.workload, timeout=timeout)

    def pause(self) -> None:
        """Freeze the workload's processes; they keep their memory."""
        with self._explained("cannot pause the container"):
            self._daemon.api.pause(self.workload)

    def unpause(self) -> None:
        """Let the workload's processes go on."""
        with self._explained("cannot unpause the container"):
            self._daemon.api.unpause(self.workload)

    def stop_sandbox(self) -> None:
        """End the network namespace and what is in it; the workload does not run any more."""
        with self._explained("cannot stop the sandbox container"):
            self._daemon.api.stop(self.sandbox, timeout=0)

    def remove(self) -> None:
        """Kill and remove the containers and the anonymous volumes of the image; no harm when they are gone."""
        with hypervisor.explained("cannot remove the containers", self._instance):
            found = self._daemon.api.containers(all=True, filters={"label": self._own_labels()})
            # The sandbox last: while it is there, what is left can be found and removed again.
            for container in sorted(found, key=lambda c: c["Labels"][hypervisor.LABEL_ROLE] == "sandbox"):
                self._remove_container(container["Id"])
        self._remove_image(self.root_image)

    def _remove_container(self, name: str) -> None:
        deadline = time.monotonic() + _REMOVAL_TIMEOUT
        while True:
            try:
                return self._daemon.api.remove_container(name, force=True, v=True)
            except docker.errors.NotFound:
                return None
            except docker.errors.APIError as error:
                # 409: another call removes it already. The other: on a busy host it is not dead 10 s after the kill.
                passing = error.status_code == 409 or "did not receive an exit event" in str(error.explanation)
                if not passing or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _remove_image(self, reference: str) -> None:
        with hypervisor.explained(f"cannot remove the image {reference}"):
            try:
                self._daemon.api.remove_image(reference)
            except docker.errors.ImageNotFound:
                return

    def remove_volumes(self) -> None:
        """Remove the instance's volumes with all data; no harm when they are gone."""
        for volume in (self.data_volume, self.rescue_volume):
            with hypervisor.explained(f"cannot remove the volume {volume}"):
                try:
                    self._daemon.api.remove_volume(volume, force=True)
                except docker.errors.NotFound:
                    continue

    # State

    def has(self, container: str) -> bool:
        """Return whether the daemon has a container of this name."""
        with hypervisor.explained(f"cannot inspect the container {container}"):
            try:
                self._daemon.api.inspect_container(container)
            except docker.errors.NotFound:
                return False
        return True

    def exists(self) -> bool:
        """Return whether either of the containers is there."""
        return self._instance.uuid in self._daemon.instances()

    def info(self) -> hardware.InstanceInfo:
        """Return Nova's view of the workload's state."""
        with self._explained("cannot inspect the container"):
            found = self._daemon.api.inspect_container(self.workload)
        state = found["State"]
        if state["Paused"]:  # Running is true as well
            power = power_state.PAUSED
        elif state["Running"]:
            power = power_state.RUNNING
        else:
            power = power_state.SHUTDOWN
        return hardware.InstanceInfo(state=power, internal_id=found["Id"])

    def console(self) -> str:
        """Return the end of what the workload wrote to its output, one character for each byte (latin-1).

        Nova encodes a console's text as latin-1 before it decodes it as UTF-8.
        """
        with self._explained("cannot read the container's log"):
            return self._daemon.api.logs(self.workload, tail=_CONSOLE_LINES).decode("latin-1")

    # Inside

    def set_password(self, user: str, password: str) -> None:
        """Set a user's password by ``chpasswd`` in the running workload; it travels by standard input, not as an
        argument.

        :raises nova.exception.InstanceNotRunning: it does not run.
        """
        if self.info().state != power_state.RUNNING:
            raise exception.InstanceNotRunning(instance_id=self._instance.uuid)
        with self._explained("cannot run chpasswd in the container"):
            status, output = execution.run(self._daemon.api, self.workload, ["chpasswd"], f"{user}:{password}\n")
        if status != 0:
            raise hypervisor.DaemonError(
                f"chpasswd refused the password of user {user}",
                where=f"instance {self._instance.uuid}",
                observed=f"exit {status}, {output!r}",
            )

    def commit(self, reference: str) -> str:
        """Make an image of the workload's file system, without its volumes, and return the image's ID.

        The daemon freezes the workload meanwhile.

        :param reference: name of the image, with its tag.
        """
        repository, _, tag = reference.rpartition(":")
        # The container's labels would be the image's, and those of any container that somebody makes of it.
        no_labels = {"Labels": dict.fromkeys(self.labels("workload"), "")}
        with self._explained("cannot commit the container"):
            return self._daemon.image_api.commit(self.workload, repository=repository, tag=tag, conf=no_labels)["Id"]

    def image(self) -> str:
        """Return the Docker ID of the image that the workload is made from."""
        with self._explained("cannot inspect the container"):
            return self._daemon.api.inspect_container(self.workload)["Image"]

    def read(self, path: str) -> bytes | None:
        """Return the contents of a file of the workload, which need not run; None when it is not there."""
        with self._explained(f"cannot read {path} of the container"):
            try:
                chunks, _ = self._daemon.api.get_archive(self.workload, path)
            except docker.errors.NotFound as error:
                if "No such container" in str(error.explanation):
                    raise
                return None
            with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
                member = archive.next()
                content = archive.extractfile(member) if member and member.isreg() else None
                return content.read() if content else None

    def run_detached(self, command: list[str]) -> None:
        """Start a program as root in the running workload and do not wait for it."""
        with self._explained("cannot run a program in the container"):
            execution = self._daemon.api.exec_create(self.workload, command, user="0")["Id"]
            self._daemon.api.exec_start(execution, detach=True)

    # Volumes

    def volume_paths(self) -> list[str]:
        """Return where the workload has volumes of the Docker daemon: its data, and what the image asked for."""
        with self._explained("cannot inspect the container"):
            mounts = self._daemon.api.inspect_container(self.workload)["Mounts"]
        return [mount["Destination"] for mount in mounts if mount["Type"] == "volume"]

    def archive(self, path: str) -> Iterator[bytes]:
        """Return the contents of a directory as a tar archive; the workload need not run."""
        with self._explained(f"cannot read {path} of the container"):
            yield from self._daemon.image_api.get_archive(self.workload, f"{path}/.", chunk_size=_BLOCK)[0]

    def unpack(self, path: str, archive: IO[bytes] | bytes) -> None:
        """Unpack a tar archive into a directory; the workload need not run."""
        with self._explained(f"cannot write to {path} of the container"):
            self._daemon.image_api.put_archive(self.workload, path, archive)

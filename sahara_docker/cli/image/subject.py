# SPDX-License-Identifier: Apache-2.0
"""An image that runs on a Docker daemon the way the Nova driver would run it, without OpenStack."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any, Iterator

from sahara_docker import exceptions
from sahara_docker.cli import daemon
from sahara_docker.cli.doctor import found, node_facts

NAME, DOMAIN = "image-check", "novalocal"
FQDN = f"{NAME}.{DOMAIN}"
_HOSTS = f"127.0.0.1 localhost\n127.0.1.1 {FQDN} {NAME}\n"
_MEMORY = 2 << 30
_LIMITS = {"nofile": 4096, "nproc": 4096}
_START_TIMEOUT = 60


class Subject(found.Finder):
    """The image, and one container of it that runs until :meth:`running` ends.

    :param where: the daemon.
    :param image: a name or an id there.
    :param user: who Sahara will log in as.
    :param password: of that user; empty when nobody knows it.
    """

    def __init__(self, where: daemon.Daemon, image: str, user: str, password: str) -> None:
        super().__init__()
        self.where, self.image, self.user, self.password = where, image, user, password
        self.described = where.image(image)
        self.container = ""

    @contextlib.contextmanager
    def running(self) -> Iterator[Subject]:
        """Start a container as the driver does, unprivileged, with limits and files of its own, and remove it after.

        An image that does not start is no error here: the trials tell.
        """
        with self.where.client() as api, tempfile.TemporaryDirectory(prefix="sahara-docker-") as directory:
            files = {"hosts": _HOSTS, "hostname": f"{NAME}\n", "resolv.conf": "options timeout:1 attempts:1\n"}
            for name, text in files.items():
                Path(directory, name).write_text(text)
            self.container = api.create_container(
                self.described["Id"],
                name=f"sahara-docker-check-{uuid.uuid4().hex[:8]}",
                hostname=NAME,
                domainname=DOMAIN,
                host_config=self._settings(api, directory),
            )["Id"]
            try:
                with contextlib.suppress(Exception):  # what is the matter, the trial of the start says
                    api.start(self.container)
                yield self
            finally:
                api.remove_container(self.container, force=True, v=True)

    def _settings(self, api: Any, directory: str) -> Any:
        import docker.types

        mounts = [
            docker.types.Mount(f"/etc/{name}", f"{directory}/{name}", type="bind")
            for name in ("hosts", "hostname", "resolv.conf")
        ]
        return api.create_host_config(
            network_mode="none",
            mounts=[*mounts, docker.types.Mount("/mnt", None, type="volume")],
            mem_limit=_MEMORY,
            memswap_limit=_MEMORY,
            pids_limit=4096,
            ulimits=[docker.types.Ulimit(name=name, soft=value, hard=value) for name, value in _LIMITS.items()],
        )

    def state(self) -> dict[str, Any]:
        """What Docker says of the container's state now."""
        with self.where.client() as api:
            return api.inspect_container(self.container)["State"]

    def run(self, script: str, *arguments: str) -> tuple[int, str]:
        """Run a shell script as root; return its exit status and output."""
        return self.where.run_in(self.container, ["sh", "-c", script, "check", *arguments])

    @found.once
    def facts(self) -> node_facts.Facts:
        """What the node says of itself, as soon as somebody listens on its port 22.

        :raises SaharaDockerError: it does not run, or nobody listens.
        """
        deadline = time.monotonic() + _START_TIMEOUT
        while not self.listens():
            state = self.state()
            if not state["Running"]:
                with self.where.client() as api:
                    log = api.logs(self.container, tail=5).decode(errors="replace").strip()
                raise exceptions.SaharaDockerError(
                    "the container does not stay up", where=self.image,
                    observed=f"exit {state['ExitCode']} {state['Error']} {log}".strip(),
                    remedy="its first process has to run sshd in the foreground; docker run it to see what it says",
                )  # fmt: skip
            if time.monotonic() > deadline:
                raise exceptions.SaharaDockerError(
                    f"nobody listens on port 22 after {_START_TIMEOUT} s", where=self.image,
                    remedy="its first process has to start sshd",
                )  # fmt: skip
            time.sleep(0.2)
        _, output = self.where.run_in(self.container, ["bash", "-c", node_facts.SCRIPT, "check", self.user])
        if "@@ reach" not in output:
            raise exceptions.SaharaDockerError(
                "the image has no bash, which Sahara's scripts need", where=self.image, observed=output.strip()[-200:],
                remedy="install bash and the usual commands of a distribution",
            )  # fmt: skip
        return node_facts.Facts(FQDN, {}, node_facts.parse(output))

    def listens(self) -> bool:
        """Whether somebody listens on port 22 (0016 in the kernel's table, state 0A)."""
        script = "cat /proc/net/tcp /proc/net/tcp6 2>/dev/null"
        try:
            code, output = self.run(script)
        except daemon.DaemonError:
            return False  # it is not running
        rows = [line.split() for line in output.splitlines()]
        return code == 0 and any(len(row) > 3 and row[1].endswith(":0016") and row[3] == "0A" for row in rows)

    @contextlib.contextmanager
    def connection(self) -> Iterator[Channel]:
        """A connection to the container's port 22, which has no network: through a process in it."""
        with self.where.client(timeout=60) as api:
            script = "exec 3<>/dev/tcp/127.0.0.1/22; cat <&3 & cat >&3; wait"
            execution = api.exec_create(self.container, ["bash", "-c", script], stdin=True)["Id"]
            stream = api.exec_start(execution, socket=True)
            try:
                yield Channel(getattr(stream, "_sock", stream))
            finally:
                stream.close()


class Channel:
    """What paramiko wants of a socket, over the stream of a Docker exec.

    What comes back is in frames of eight bytes of header, whose last four are the length, and data (Docker Engine API,
    "Stream format").
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._buffer, self._left = connection, b"", 0
        self._closed = self.closed = False  # paramiko asks for both

    def settimeout(self, seconds: float | None) -> None:
        """As of a socket."""
        self._connection.settimeout(seconds)

    def send(self, data: bytes) -> int:
        """As of a socket."""
        return self._connection.send(data)

    def recv(self, count: int) -> bytes:
        """As of a socket; a timeout in the middle of a header loses nothing."""
        while self._left == 0:
            piece = self._connection.recv(8 - len(self._buffer))
            if not piece:
                return b""
            self._buffer += piece
            if len(self._buffer) == 8:
                self._left, self._buffer = int.from_bytes(self._buffer[4:], "big"), b""
        data = self._connection.recv(min(count, self._left))
        self._left -= len(data)
        return data

    def close(self) -> None:
        """As of a socket."""
        self._closed = self.closed = True
        self._connection.close()

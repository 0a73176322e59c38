# SPDX-License-Identifier: Apache-2.0
"""A Docker daemon of the test's own: a second host, or one that may be killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time

import docker
import docker.errors
import fixtures
import requests.exceptions

_UNIFIED = 'mount -t cgroup2 none /sys/fs/cgroup && exec "$@"'


class DockerDaemon(fixtures.Fixture):
    """A daemon beside the machine's, with its own socket and directories; ``url`` is its address.

    :param file_system: for its data root: ``btrfs``, by which it can hold root file systems to a size; ``xfs``, by
        which it can when the kernel has XFS's quotas, which not every one is built with; None: as /tmp.
    :param unified_cgroups: show it cgroup v2 only. Controllers that the machine has on v1 are not on v2, so that on
        such a machine the daemon cannot limit anything. The driver's mounts for Cinder volumes do not reach it.
    """

    def __init__(self, file_system: str | None = None, *, unified_cgroups: bool = False) -> None:
        self._file_system = file_system
        self._prefix = ["unshare", "--mount", "sh", "-c", _UNIFIED, "sh"] if unified_cgroups else []

    def _setUp(self) -> None:
        self.directory = self.useFixture(fixtures.TempDir()).path
        if self._file_system:
            self._make_data_root(self._file_system)
        self.url = f"unix://{self.directory}/docker.sock"
        self._configuration = os.path.join(self.directory, "daemon.json")
        with open(self._configuration, "w", encoding="ascii") as file:
            file.write("{}")
        self.addCleanup(self._clear)
        self.start()

    def _make_data_root(self, file_system: str) -> None:
        image, data_root = (os.path.join(self.directory, name) for name in ("disk", "data"))
        os.mkdir(data_root)
        with open(image, "wb") as disk:
            disk.truncate(8 << 30)
        subprocess.run([f"mkfs.{file_system}", "-q", image], check=True)
        # Unmounted as all that is below.
        mount = ["mount", image, data_root, "-o"]
        quota = file_system == "xfs" and subprocess.run([*mount, "loop,pquota"], capture_output=True, check=False)
        if not quota or quota.returncode != 0:
            subprocess.run([*mount, "loop"], check=True)

    def start(self) -> None:
        """Start the daemon and wait until it answers."""
        names = {"data-root": "data", "exec-root": "run", "pidfile": "pid", "config-file": "daemon.json"}
        places = [f"--{option}={os.path.join(self.directory, name)}" for option, name in names.items()]
        network = ["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"]
        log_name = os.path.join(self.directory, "log")
        with open(log_name, "ab") as log:
            self.process = subprocess.Popen(
                [*self._prefix, "dockerd", f"--host={self.url}", *places, *network],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                return self._client().ping()
            except (docker.errors.DockerException, requests.exceptions.RequestException):
                if time.monotonic() > deadline or self.process.poll() is not None:
                    with open(log_name, encoding="utf-8") as text:
                        raise AssertionError(f"dockerd does not answer: {text.read()[-3000:]}") from None
                time.sleep(0.1)

    def _client(self) -> docker.APIClient:
        return docker.APIClient(base_url=self.url, version="auto")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End the daemon by a signal; SIGTERM ends the containers first."""
        self.process.send_signal(number)
        self.process.wait(timeout=60)
        for name in ("pid", "run/containerd/containerd.pid"):  # which a killed daemon leaves, and the next one believes
            with contextlib.suppress(FileNotFoundError):
                os.remove(os.path.join(self.directory, name))

    def _clear(self) -> None:
        if self.process.poll() is not None:
            self.start()
        client = self._client()
        for container in client.containers(all=True):
            client.remove_container(container["Id"], force=True, v=True)
        client.close()
        self.stop()
        for line in reversed(_mounts()):
            if line.startswith(self.directory + "/"):
                subprocess.run(["umount", "--lazy", line], check=False)


def _mounts() -> list[str]:
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        return [line.split()[1] for line in mounts]

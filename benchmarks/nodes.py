# SPDX-License-Identifier: Apache-2.0
"""Containers for a cluster: an sshd each, unprivileged, with the login that cloud-init would have prepared."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import io
from collections.abc import Iterator

import paramiko

from benchmarks import engines
from tests.functional.ssh import sshd

USER = sshd.LOGIN_USER
# Docker's daemon and the containers' start-up share the machine's cores.
_AT_ONCE = 4


@dataclasses.dataclass(frozen=True)
class Nodes:
    """Running containers.

    :param addresses: where their sshds listen.
    :param key: with which ``USER`` may log in; stock Sahara knows no other way.
    """

    addresses: list[str]
    key: paramiko.RSAKey

    @property
    def private_key(self) -> str:
        """The key in PEM form."""
        text = io.StringIO()
        self.key.write_private_key(text)
        return text.getvalue()

    @property
    def public_key(self) -> str:
        """The key as a line for ``authorized_keys``."""
        return f"{self.key.get_name()} {self.key.get_base64()}"

    def cluster_in(self, engine: engines.Engine) -> str:
        """Make an engine know these nodes as a cluster.

        :returns: the cluster's id.
        """
        return engine.call(
            "benchmarks.engine_process:add_cluster", USER, self.addresses, self.private_key, self.public_key
        )


@contextlib.contextmanager
def running(count: int, place: engines.Place) -> Iterator[Nodes]:
    """*count* containers, removed at the end of the block."""
    name, _, value = place.label.partition("=")
    key = paramiko.RSAKey.generate(2048)
    fixtures = [sshd.SshdContainer(f"bench-{count}-worker-{number}", labels={name: value}) for number in range(count)]
    nodes = Nodes([fixture.address for fixture in fixtures], key)

    authorize = (
        f"install -d -o {USER} -m 700 ~{USER}/.ssh && echo '{nodes.public_key}' > ~{USER}/.ssh/authorized_keys"
        f" && chown {USER} ~{USER}/.ssh/authorized_keys"
    )
    with concurrent.futures.ThreadPoolExecutor(_AT_ONCE) as pool, contextlib.ExitStack() as stack:

        def start(fixture: sshd.SshdContainer) -> None:
            fixture.setUp()
            stack.callback(pool.submit, fixture.cleanUp)
            fixture.run(authorize)

        print(f"  starting {count} containers", flush=True)
        for _ in pool.map(start, fixtures):
            pass
        yield nodes
        print(f"  removing {count} containers", flush=True)

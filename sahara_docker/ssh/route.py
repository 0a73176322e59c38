# SPDX-License-Identifier: Apache-2.0
"""Who a node is, where it answers, and with what to log in."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Callable, Iterable

if TYPE_CHECKING:
    from sahara_docker.ssh import authentication


@dataclasses.dataclass(frozen=True)
class Login:
    """What a login needs.

    :param username: the image's login user.
    :param methods: what to try, in this order; asked for one at a time, and only while logging in, since some have to
        be fetched. Its argument tells whether the node's host key was known before. No part of equality: a connection
        that was opened by another method serves as well.
    """

    username: str
    methods: Callable[[bool], Iterable[authentication.Method]] = dataclasses.field(repr=False, compare=False)


@dataclasses.dataclass(frozen=True)
class Node:
    """One SSH server.

    :param id: Nova's server id, which is never reused as addresses are.
    :param name: for messages.
    :param host: address to dial.
    :param login: what to log in with.
    :param gateway: node through which this one is reached.
    :param proxy_command: returns the command line whose standard streams are the connection; asked when dialling, since
        Neutron may have to be asked for the router.
    :param cluster_id: Sahara's cluster that its host key is kept with; None keeps it in this process only.
    """

    id: str
    name: str
    host: str
    login: Login
    port: int = 22
    gateway: Node | None = None
    proxy_command: Callable[[], str] | None = dataclasses.field(default=None, repr=False, compare=False)
    cluster_id: str | None = None

    def __str__(self) -> str:
        return f"{self.name} {self.host}"

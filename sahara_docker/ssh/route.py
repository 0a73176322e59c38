# SPDX-License-Identifier: Apache-2.0
"""Who a node is, where it answers, and with what to log in."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Login:
    """What a login needs. Neither secret is part of its ``repr``.

    :param username: the image's login user.
    :param password: tried first.
    :param private_key: text of an RSA key in PEM form, tried after the password.
    """

    username: str
    password: str | None = dataclasses.field(default=None, repr=False)
    private_key: str | None = dataclasses.field(default=None, repr=False)


@dataclasses.dataclass(frozen=True)
class Node:
    """One SSH server.

    :param id: Nova's server id, which is never reused as addresses are.
    :param name: for messages.
    :param host: address to dial.
    :param login: what to log in with.
    :param gateway: node through which this one is reached.
    :param proxy_command: command line whose standard streams are the connection.
    """

    id: str
    name: str
    host: str
    login: Login
    port: int = 22
    gateway: Node | None = None
    proxy_command: str | None = None

    def __str__(self) -> str:
        return f"{self.name} {self.host}"

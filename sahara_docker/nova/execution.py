# SPDX-License-Identifier: Apache-2.0
"""Programs run inside a container, with their input by the connection and never as an argument."""

from __future__ import annotations

import socket
from typing import Any

import docker

_SILENCE = 60  # seconds that a program may say nothing


def run(api: docker.APIClient, container: str, command: list[str], text: str = "") -> tuple[int, str]:
    """Run a program as root in a running container; return its exit status and what it printed.

    :param text: its standard input.
    :raises docker.errors.APIError: the container does not run, or has no such program.
    """
    execution = api.exec_create(container, command, stdin=True, user="0")["Id"]
    output = _converse(api.exec_start(execution, socket=True), text.encode())
    return api.exec_inspect(execution)["ExitCode"], output


def _converse(stream: Any, text: bytes) -> str:
    """Write *text* to an exec's hijacked connection, end its input, and return what it prints.

    Output arrives in frames of an 8-byte header and data (Docker Engine API, "Stream format"); what is left of a frame
    that was cut off is dropped.
    """
    connection = getattr(stream, "_sock", stream)
    try:
        connection.settimeout(_SILENCE)
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while block := connection.recv(4096):
            received += block
    finally:
        stream.close()
    frames = []
    while len(received) >= 8:
        size = int.from_bytes(received[4:8], "big")
        frames.append(received[8 : 8 + size])
        received = received[8 + size :]
    return b"".join(frames).decode(errors="replace").strip()

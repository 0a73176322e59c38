# SPDX-License-Identifier: Apache-2.0
"""Does a daemon answer? Probes come with the process, so that the agent needs no knowledge of Hadoop."""

from __future__ import annotations

import http.client
import re
import socket
import urllib.error
import urllib.request
from typing import Any

TIMEOUT = 5.0

# A node's own daemons are never reached through a proxy.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def first_failure(probes: list[dict[str, Any]]) -> str | None:
    """Return why the first probe that fails does so, or None when all pass.

    A probe is one of these, with a ``pattern`` that is a regular expression in what comes back:

    - ``{"tcp": [host, port]}``, and beside it ``send`` and ``pattern`` where a connection alone does not say enough;
    - ``{"url": ..., "pattern": ...}``;
    - ``{"any": [probe, ...]}``, of which one has to pass.
    """
    for probe in probes:
        failure = _failure(probe)
        if failure:
            return failure
    return None


def first_that_passes(probes: dict[str, dict[str, Any]]) -> str:
    """Return the name of the first probe that passes, or an empty string."""
    return next((name for name, probe in probes.items() if _failure(probe) is None), "")


def _failure(probe: dict[str, Any]) -> str | None:
    if "any" in probe:
        failures = [_failure(one) for one in probe["any"]]
        return None if None in failures else "; ".join(filter(None, failures))
    if "tcp" in probe:
        host, port = probe["tcp"]
        return _tcp(host, port, probe.get("send", ""), probe.get("pattern", ""))
    return _http(probe["url"], probe.get("pattern", ""))


def _tcp(host: str, port: int, send: str, pattern: str) -> str | None:
    answer = b""
    try:
        with socket.create_connection((host, port), TIMEOUT) as connection:
            if send:
                connection.sendall(send.encode())
                # Whoever answers and keeps the connection open has said enough when it is what was expected.
                while not _matches(pattern, answer) and (part := connection.recv(4096)):
                    answer += part
    except OSError as error:
        return f"{host}:{port} does not accept connections: {error.strerror or error}"
    if not _matches(pattern, answer):
        return f"{host}:{port} answers {send!r}, but not with {pattern!r} yet"
    return None


def _matches(pattern: str, answer: bytes) -> bool:
    return re.search(pattern, answer.decode("utf-8", "replace")) is not None


def _http(url: str, pattern: str) -> str | None:
    try:
        with _OPENER.open(url, timeout=TIMEOUT) as answer:
            body = answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return f"{url} answers {error.code}"
    # HTTPException: a port of the ephemeral range that nobody listens on yet can connect to itself and echo.
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"{url} does not answer: {getattr(error, 'reason', error)}"
    if not re.search(pattern, body):
        return f"{url} answers, but its body does not match {pattern!r} yet"
    return None

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

    A probe is ``{"tcp": [host, port]}`` or ``{"url": ..., "pattern": regular expression in the body}``.
    """
    for probe in probes:
        failure = _tcp(*probe["tcp"]) if "tcp" in probe else _http(probe["url"], probe.get("pattern", ""))
        if failure:
            return failure
    return None


def _tcp(host: str, port: int) -> str | None:
    try:
        socket.create_connection((host, port), TIMEOUT).close()
    except OSError as error:
        return f"{host}:{port} does not accept connections: {error.strerror or error}"
    return None


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

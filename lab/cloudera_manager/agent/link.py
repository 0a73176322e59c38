# SPDX-License-Identifier: Apache-2.0
"""The agent's side of the protocol between agent and server."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any


class LinkError(Exception):
    """The server did not answer or refused; the text says which and where."""


class Link:
    """Requests to the agents' port of the server. Every call opens its own connection, so it is safe in any thread."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port

    def post(self, path: str, body: dict[str, Any], *, timeout: float = 10.0) -> tuple[dict[str, Any], str]:
        """Send ``body`` and return the server's JSON and this host's own address on that connection.

        :raises LinkError: no connection, no answer within ``timeout`` seconds, or an answer other than 200.
        """
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            connection.connect()
            address = connection.sock.getsockname()[0]
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
            if answer.status != 200:
                raise LinkError(f"http://{self.host}:{self.port}{path} answered {answer.status}: {text[:200]}")
            return json.loads(text), address
        except (OSError, http.client.HTTPException, ValueError) as error:
            cause = "name not known" if isinstance(error, socket.gaierror) else str(error) or type(error).__name__
            raise LinkError(f"no answer from http://{self.host}:{self.port}{path}: {cause}") from error
        finally:
            connection.close()

# SPDX-License-Identifier: Apache-2.0
"""The few calls of HDFS's REST API (WebHDFS v1) that bring files to it, a thousand times cheaper than a Java client."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from http import client
from pathlib import Path
from typing import Any
from urllib import parse

REQUEST_TIMEOUT = 20
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0

#: What a NameNode or a proxy of one says while it is not yet, or not any more, the one to ask.
_NOT_NOW = ("SafeModeException", "StandbyException", "RetriableException")


class WebHdfsError(Exception):
    """HDFS refused a call or did not answer in time; the text says what, where, observed and what to do."""


class _NotNow(Exception):
    """This NameNode cannot take the call at present; another one, or a later try, may."""


def addresses(hadoop: dict[str, str]) -> list[str]:
    """Return ``host:port`` of the web server of each NameNode, from the properties of core-site.xml and hdfs-site.xml.

    :raises WebHdfsError: the properties name none.
    """
    name = "dfs.namenode.http-address"
    found = [value for key, value in sorted(hadoop.items()) if key == name or key.startswith(f"{name}.")]
    if not found:
        host = parse.urlsplit(hadoop.get("fs.defaultFS", "")).hostname
        found = [f"{host}:9870"] if host else []
    if not found:
        raise WebHdfsError("core-site.xml has no fs.defaultFS with a host, hdfs-site.xml no dfs.namenode.http-address")
    return found


class WebHdfs:
    """HDFS as one user sees it. Calls wait for a NameNode that is starting, for ``patience`` seconds in all."""

    def __init__(self, namenodes: Iterable[str], user: str, patience: float = 240.0) -> None:
        self._namenodes = list(namenodes)
        self._user = user
        self._deadline = time.monotonic() + patience

    def names(self, path: str) -> list[str] | None:
        """Return the names in a directory, None when it does not exist."""
        answer = self._call("GET", path, "LISTSTATUS", missing_is_none=True)
        return None if answer is None else [item["pathSuffix"] for item in answer["FileStatuses"]["FileStatus"]]

    def mkdirs(self, path: str) -> None:
        """Make a directory and those above it."""
        self._call("PUT", path, "MKDIRS", permission="755")

    def put(self, source: Path, path: str) -> None:
        """Write a local file to HDFS, over an older one."""
        self._call("PUT", path, "CREATE", body=source.read_bytes(), overwrite="true", permission="644")

    def delete(self, path: str) -> None:
        """Delete a file or a whole directory; nothing happens when there is none."""
        self._call("DELETE", path, "DELETE", recursive="true")

    def rename(self, path: str, destination: str) -> None:
        """Move a file or directory; with HDFS this is one step that others see whole or not at all."""
        if not self._call("PUT", path, "RENAME", destination=destination)["boolean"]:
            raise WebHdfsError(f"cannot rename {path} to {destination} in HDFS; does the second one exist?")

    def _call(
        self, method: str, path: str, operation: str, *,
        body: bytes | None = None, missing_is_none: bool = False, **arguments: str,
    ) -> Any:  # fmt: skip
        query = parse.urlencode({"op": operation, "user.name": self._user, **arguments})
        target = f"/webhdfs/v1{parse.quote(path)}?{query}"
        pause = FIRST_PAUSE
        while True:
            observed = []
            for namenode in self._namenodes:
                try:
                    return self._exchange(namenode, method, target, body, missing_is_none)
                except (OSError, client.HTTPException, _NotNow) as error:
                    observed.append(f"{namenode}: {error}")
            if time.monotonic() + pause > self._deadline:
                seen = "; ".join(observed)
                raise WebHdfsError(f"HDFS does not take {operation} of {path}: {seen}; are NameNode and DataNodes up?")
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _exchange(self, address: str, method: str, target: str, body: bytes | None, missing_is_none: bool) -> Any:
        """Ask a NameNode; follow it to the DataNode that takes the file's content."""
        status, location, answer = _request(address, method, target, None)
        if status == 307:
            where = parse.urlsplit(location)
            status, _, answer = _request(where.netloc, method, f"{where.path}?{where.query}", body or b"")
        if status in (200, 201):
            return json.loads(answer) if answer else None
        exception, message = _fault(answer)
        if status == 404 and missing_is_none:
            return None
        # No DataNode has registered yet: a NameNode says so with a bare IOException.
        if exception in _NOT_NOW or "of the 1 minReplication nodes" in message or "Failed to find datanode" in message:
            raise _NotNow(message)
        asked = f"{method} {target.partition('?')[0]}"
        raise WebHdfsError(f"HDFS at {address} refuses {asked} to user {self._user}: {message or status}")


def _request(address: str, method: str, target: str, body: bytes | None) -> tuple[int, str, bytes]:
    connection = client.HTTPConnection(address, timeout=REQUEST_TIMEOUT)
    try:
        headers = {} if body is None else {"Content-Type": "application/octet-stream"}
        connection.request(method, target, body=body, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers.get("Location", ""), response.read()
    finally:
        connection.close()


def _fault(answer: bytes) -> tuple[str, str]:
    """Return the class and the first line of the message of a RemoteException."""
    try:
        fault = json.loads(answer)["RemoteException"]
        return fault.get("exception", ""), (fault.get("message") or "").partition("\n")[0]
    except (ValueError, KeyError, TypeError):
        return "", answer[:200].decode(errors="replace").strip()

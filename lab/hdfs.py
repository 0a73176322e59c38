# SPDX-License-Identifier: Apache-2.0
"""Files in the cluster's HDFS over WebHDFS, from outside the cluster.

The NameNode sends each request for content on to a DataNode by its host name, which only the cluster's own nodes can
resolve; here the name is replaced by the address that Sahara knows. Protocol: Apache Hadoop's WebHDFS REST API.
"""

from __future__ import annotations

import urllib.parse

from lab import rest


class Hdfs:
    """HDFS as user *user*, seen from outside.

    :param namenode: address of the NameNode.
    :param addresses: address by host name, full and short, of every node.
    """

    def __init__(self, namenode: str, addresses: dict[str, str], user: str = "hdfs") -> None:
        self._base = f"http://{namenode}:50070/webhdfs/v1"
        self._addresses = addresses
        self._user = user

    def _call(self, method: str, path: str, operation: str, **parameters: str):
        query = urllib.parse.urlencode({"op": operation, "user.name": self._user, **parameters})
        return rest.call(method, f"{self._base}{urllib.parse.quote(path)}?{query}")[1]

    def _at_datanode(self, method: str, path: str, operation: str, **parameters: str) -> str:
        """Where a DataNode takes or gives content: one that the NameNode chooses."""
        target = self._call(method, path, operation, noredirect="true", **parameters)["Location"]
        url = urllib.parse.urlsplit(target)
        address = self._addresses.get(url.hostname or "", url.hostname)
        return url._replace(netloc=f"{address}:{url.port}").geturl()

    def write(self, path: str, content: bytes, *, only_on: str = "") -> None:
        """Write a file, replacing what is there.

        :param only_on: address of the DataNode that shall have it, and no other: the first replica of a block lies
            where it is written from, which is the DataNode that takes the content.
        """
        more = {"replication": "1"} if only_on else {}
        url = urllib.parse.urlsplit(self._at_datanode("PUT", path, "CREATE", overwrite="true", **more))
        if only_on:
            url = url._replace(netloc=f"{only_on}:{url.port}")
        rest.call("PUT", url.geturl(), content, {"Content-Type": "application/octet-stream"}, timeout=300)

    def replicate(self, path: str, number: int) -> None:
        """Set how many DataNodes shall have a file."""
        self._call("PUT", path, "SETREPLICATION", replication=str(number))

    def read(self, path: str) -> bytes:
        """The whole content of a file."""
        content = rest.call("GET", self._at_datanode("GET", path, "OPEN"), timeout=120)[1]
        return content if isinstance(content, bytes) else str(content).encode()

    def list(self, path: str) -> list[str]:
        """Names in a directory."""
        statuses = self._call("GET", path, "LISTSTATUS")["FileStatuses"]["FileStatus"]
        return sorted(entry["pathSuffix"] for entry in statuses)

    def delete(self, path: str) -> None:
        """Delete *path* with all below it; harmless when it is not there."""
        self._call("DELETE", path, "DELETE", recursive="true")

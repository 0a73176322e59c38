# SPDX-License-Identifier: Apache-2.0
"""Job binaries that lie in the cluster's HDFS: ``hdfs:///user/hdfs/my.jar``.

Stock Sahara takes data from HDFS, but programs only from its own database and from object stores and shares.
"""

from __future__ import annotations

import shlex
import urllib.parse
from typing import Any

from sahara import exceptions
from sahara.service.edp.job_binaries import base


class HDFSType(base.JobBinaryType):
    """Sahara's job binary type ``hdfs``, for ``[DEFAULT] job_binary_types``."""

    def copy_binary_to_cluster(self, job_binary: Any, **kwargs: Any) -> str:
        """Copy a program to the local disk of the node of ``remote``; return its path."""
        path: str = self._generate_valid_path(job_binary)
        read = as_hdfs("-cat", job_binary.url)
        kwargs["remote"].execute_command(f"{read} > {shlex.quote(path)}")
        return path

    def copy_in_hdfs(self, remote: Any, job_binary: Any, path: str) -> None:
        """Copy a program to another place in HDFS, without a detour."""
        remote.execute_command(as_hdfs("-cp", job_binary.url, path))

    def validate_job_location_format(self, entry: str) -> bool:
        """Tell whether a URL names a file in HDFS."""
        url = urllib.parse.urlsplit(entry)
        return url.scheme == "hdfs" and url.path.strip("/") != "" and not url.path.endswith("/")

    def validate(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Check a job binary that is to be made.

        :raises InvalidDataException: when its URL names no file in HDFS.
        """
        if not self.validate_job_location_format(data["url"]):
            raise exceptions.InvalidDataException(
                f"{data['url']} names no file in HDFS, as hdfs:///user/hdfs/my.jar does"
            )


def as_hdfs(*words: str) -> str:
    """Return the command of a node that runs ``hdfs dfs`` as HDFS's own user."""
    return f"sudo su - -c {shlex.quote(shlex.join(('hdfs', 'dfs', *words)))} hdfs"

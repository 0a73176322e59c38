# SPDX-License-Identifier: Apache-2.0
"""Sahara's jobs as the tests use them, by the API alone: it carries what no command line can."""

from __future__ import annotations

import itertools
import os
import subprocess
import time
from typing import Any

from lab import cluster, installation, rest, settings, wordcount
from tests.end_to_end.demo import LAB

EXAMPLES = settings.CHECKOUT / "examples/jobs"

ENDED = ("SUCCEEDED", "FAILED", "KILLED", "DONEWITHERROR")


def run_example(name: str, cluster_name: str) -> tuple[int, str]:
    """Run an example as a user does; return its exit status and what it says."""
    jar = wordcount.examples_jar(LAB)
    environment = {
        **installation.client_environment(LAB),
        "PATH": f"{LAB.venv / 'bin'}:{os.environ['PATH']}",
        "HOME": str(LAB.data),
        "HADOOP_EXAMPLES_JAR": str(jar),
        "HADOOP_JARS": str(jar.parent),
        "SPARK_JARS": str(LAB.node_image / "layers/spark/opt/spark/jars"),
    }
    done = subprocess.run(
        [EXAMPLES / name / "run.sh", cluster_name],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    return done.returncode, done.stdout


class Jobs:
    """Makes jobs for one cluster.

    :param label: begins the names of what is made.
    """

    def __init__(self, cloud: rest.Cloud, made: cluster.Cluster, label: str) -> None:
        self._cloud, self._cluster = cloud, made
        self._names = (f"{label}-{time.time_ns() // 10**6}-{number}" for number in itertools.count())

    def source(self, path: str) -> str:
        """Make a data source of a path in HDFS; return its id."""
        body = {"name": next(self._names), "type": "hdfs", "url": path}
        return self._cloud.post("sahara", "/data-sources", body)["data_source"]["id"]

    def stored(self, content: bytes) -> str:
        """Store a program in Sahara's database; return its URL."""
        headers = {"Content-Type": "application/octet-stream"}
        path = f"/job-binary-internals/{next(self._names)}"
        stored = self._cloud.request("PUT", "sahara", path, content, headers)["job_binary_internal"]
        return f"internal-db://{stored['id']}"

    def binary(self, url: str, ending: str = "") -> tuple[str, str]:
        """Make a job binary of what is at *url*; return its id and its name, which ends with *ending*."""
        name = next(self._names) + ending
        return self._cloud.post("sahara", "/job-binaries", {"name": name, "url": url})["job_binary"]["id"], name

    def template(self, kind: str, mains: tuple[str, ...] = (), libs: tuple[str, ...] = ()) -> str:
        """Make a job template; return its id."""
        body = {"name": next(self._names), "type": kind, "mains": list(mains), "libs": list(libs)}
        return self._cloud.post("sahara", "/jobs", body)["job"]["id"]

    def start(self, template: str, source: str = "", target: str = "", **job_configs: Any) -> str:
        """Start a job; return its id.

        :param job_configs: ``configs``, ``params``, ``args``.
        """
        body: dict[str, Any] = {"cluster_id": self._cluster.id, "job_configs": job_configs}
        if source:
            body |= {"input_id": source, "output_id": target}
        return self._cloud.post("sahara", f"/jobs/{template}/execute", body)["job_execution"]["id"]

    def look(self, job: str) -> dict[str, Any]:
        """What Sahara knows of a job, after a look at it."""
        return self._cloud.get("sahara", f"/job-executions/{job}/refresh-status")["job_execution"]["info"]

    def cancel(self, job: str) -> None:
        """Ask for a job's end."""
        self._cloud.get("sahara", f"/job-executions/{job}/cancel")

    def await_status(self, job: str, *wanted: str, timeout: float = 420) -> dict[str, Any]:
        """Wait until a job's status is one of *wanted*; return what Sahara knows of it.

        :raises AssertionError: when it has ended otherwise, or *timeout* seconds are over.
        """
        deadline = time.monotonic() + timeout
        while True:
            info = self.look(job)
            if info["status"] in wanted:
                return info
            if info["status"] in ENDED or time.monotonic() > deadline:
                raise AssertionError(f"job {job} is {info['status']}, wanted {' or '.join(wanted)}: {info}")
            time.sleep(1)

# SPDX-License-Identifier: Apache-2.0
"""The demonstration's job: count the words of a real text on the cluster, and check the count without Hadoop."""

from __future__ import annotations

import collections
import dataclasses
import re
import time
from pathlib import Path
from typing import Any

from lab import client, command, console, rest, settings
from lab.cluster import NAME, Cluster
from lab.hdfs import Hdfs
from sahara_docker import exceptions

#: Where the job reads and writes in HDFS; Sahara keeps its own files of a job below the name of its template.
INPUT, OUTPUT = "/user/hdfs/text", "/user/hdfs/counted-words"
#: Enough text to be real, little enough for a machine of two cores.
TEXT_BYTES = 8_000_000
JOB_TIMEOUT = 300
#: What Java's StringTokenizer takes for white space, which is less than what Python's split() takes.
_SEPARATORS = re.compile(rb"[ \t\n\r\f]+")


@dataclasses.dataclass(frozen=True)
class Result:
    """A finished job whose output was found right."""

    job_id: str
    state: str
    seconds: float
    text_bytes: int
    words: int
    distinct: int
    top: list[tuple[str, int]]


def text(lab: settings.Lab) -> bytes:
    """A few megabytes of text that every lab has: the source code of the OpenStack that it runs, in ASCII."""
    collected: list[bytes] = []
    size = 0
    packages = next((lab.venv / "lib").glob("python3*/site-packages"))
    for project in ("sahara", "nova", "neutron", "heat", "keystone", "glance"):
        for path in sorted((packages / project).rglob("*.py")):
            content = path.read_bytes()
            if content.isascii():
                collected.append(content)
                size += len(content)
            if size > TEXT_BYTES:
                return b"\n".join(collected)
    return b"\n".join(collected)


def count(content: bytes) -> dict[str, int]:
    """Words and how often they occur, as the example job of Hadoop tells words apart."""
    return collections.Counter(word.decode() for word in _SEPARATORS.split(content) if word)


def run(lab: settings.Lab, cloud: rest.Cloud, cluster: Cluster) -> Result:
    """Bring the text to HDFS, run the job through Sahara, read its output and check it.

    :raises SaharaDockerError: when the job does not succeed or its output is not right.
    """
    content, hdfs = text(lab), cluster.hdfs()
    hdfs.write(f"{INPUT}/openstack.txt", content)
    hdfs.delete(OUTPUT)
    console.step(f"  {len(content) / 1e6:.1f} MB of text are in HDFS at {INPUT}")
    _definitions(lab, cloud)
    began = time.monotonic()
    configs = (settings.CHECKOUT / "examples/jobs/mapreduce/configs").read_text().split()
    printed = client.openstack(
        lab,
        f"dataprocessing job execute --cluster {NAME} --job-template word-count --input text --output counted-words",
        *("--configs", *configs),
    )
    identifier = re.search(r'Job "([^"]+)" has been started', printed)
    if identifier is None:
        raise exceptions.SaharaDockerError("the client did not say which job it started", observed=printed)
    job = _await_end(cloud, identifier[1])
    seconds = time.monotonic() - began
    state = job["info"]["status"]
    if state != "SUCCEEDED":
        raise exceptions.SaharaDockerError(
            "the job did not succeed",
            where=job["id"],
            observed=_cause(job),
            remedy=f"look at {cluster.web_pages()['Oozie']}/v1/job/{job['engine_job_id']}?show=log; "
            f"read {lab.log}/sahara.log",
        )
    found = output(hdfs, OUTPUT)
    expected = count(content)
    if found != expected:
        wrong = {word for word in set(found) | set(expected) if found.get(word) != expected.get(word)}
        sample = ", ".join(f"{word!r}: {found.get(word)} for {expected.get(word)}" for word in sorted(wrong)[:5])
        raise exceptions.SaharaDockerError(
            "the job's output is not what a count without Hadoop gives", where=OUTPUT, observed=sample
        )
    top = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:10]
    return Result(job["id"], state, seconds, len(content), sum(found.values()), len(found), top)


def _definitions(lab: settings.Lab, cloud: rest.Cloud) -> None:
    """Data sources, the job's program and its template, each made once."""

    def known(path: str, key: str) -> set[str]:
        return {one["name"] for one in cloud.get("sahara", path)[key]}

    sources = known("/data-sources", "data_sources")
    for name, url in (("text", INPUT), ("counted-words", OUTPUT)):
        if name not in sources:
            client.openstack(lab, "dataprocessing data source create --type hdfs", "--url", url, name)
    if "hadoop-examples.jar" not in known("/job-binaries", "binaries"):
        # By REST, for the client's own `job binary create --data` reads the file as text and fails on a jar.
        jar = examples_jar(lab)
        path = f"/job-binary-internals/{jar.name}"
        console.say(f"         $ curl -T {jar} .../v1.1/$PROJECT_ID{path}")
        headers = {"Content-Type": "application/octet-stream"}
        stored = cloud.request("PUT", "sahara", path, jar.read_bytes(), headers)["job_binary_internal"]
        create = "dataprocessing job binary create --name hadoop-examples.jar --url"
        client.openstack(lab, create, f"internal-db://{stored['id']}")
    if "word-count" not in known("/jobs", "jobs"):
        create = "dataprocessing job template create --name word-count --type MapReduce"
        client.openstack(lab, create, "--libs", "hadoop-examples.jar")


def examples_jar(lab: settings.Lab) -> Path:
    """Hadoop's own example programs, which came from Maven Central with the rest of Hadoop."""
    found = sorted(lab.node_image.rglob("hadoop-mapreduce-examples-*.jar"))
    if not found:
        raise exceptions.SaharaDockerError("Hadoop's example programs are not there", where=str(lab.node_image))
    return found[0]


def _await_end(cloud: rest.Cloud, identifier: str) -> dict[str, Any]:
    state, deadline = "", time.monotonic() + JOB_TIMEOUT
    while time.monotonic() < deadline:
        # Asking with refresh makes Sahara look at the job now and not at its next round.
        job = cloud.get("sahara", f"/job-executions/{identifier}/refresh-status")["job_execution"]
        if job["info"].get("status") != state:
            state = job["info"].get("status") or ""
            console.step(f"  job is {state}")
        if state in ("SUCCEEDED", "FAILED", "KILLED", "DONEWITHERROR"):
            return job
        if command.interrupted.is_set():
            raise KeyboardInterrupt
        time.sleep(1)
    raise exceptions.SaharaDockerError(f"the job has not ended after {JOB_TIMEOUT} s", where=identifier, observed=state)


def _cause(job: dict[str, Any]) -> str:
    actions = job["info"].get("actions") or []
    causes = [f"{action.get('name')}: {action.get('errorMessage')}" for action in actions if action.get("errorMessage")]
    return f"{job['info'].get('status')} {'; '.join(causes)}".strip()


def output(hdfs: Hdfs, directory: str) -> dict[str, int]:
    """Words and how often they occur, as the job has written them into a directory of HDFS."""
    found: dict[str, int] = {}
    for name in hdfs.list(directory):
        if name.startswith("part-"):
            # Not splitlines(): it also ends a line at characters that are letters to the job.
            for line in hdfs.read(f"{directory}/{name}").decode().split("\n"):
                word, _, number = line.rpartition("\t")
                if line:
                    found[word] = int(number)
    return found

# SPDX-License-Identifier: Apache-2.0
"""The words of 200 MB counted on a cluster of the lab: a job of Sahara's beside the same job without it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

from benchmarks import results
from lab import cluster, rest, settings, wordcount
from sahara_docker import exceptions

_INPUT, _OUTPUT, _PLAIN = "/user/hdfs/bench", "/user/hdfs/bench-by-sahara", "/user/hdfs/bench-plain"
_NAME = "sahara-docker-bench"
_BYTES = 200_000_000
_LIMIT = 600.0


def run(lab: settings.Lab, cloud: rest.Cloud, where: cluster.Cluster, master: Any) -> list[results.Result]:
    """Count through Sahara and Oozie, then by ``hadoop jar`` on the master.

    :param master: its container.
    :raises SaharaDockerError: a job failed, or did not count right.
    """
    text = wordcount.text(lab) + b"\n"
    times = -(-_BYTES // len(text))  # rounded up
    hdfs = where.hdfs()
    hdfs.write(f"{_INPUT}/text", text * times)
    expected = {word: times * number for word, number in wordcount.count(text).items()}
    print(f"  word count of {times * len(text) / 1e6:.0f} MB: Sahara's job", flush=True)
    with contextlib.ExitStack() as made:
        job = _define(lab, cloud, made)
        began = time.time()
        status = _execute(cloud, job, where, made)
        ended = time.time()
    print(f"  word count of {times * len(text) / 1e6:.0f} MB: the plain job", flush=True)
    floor_began = time.perf_counter()
    _run_plainly(master)
    floor = time.perf_counter() - floor_began
    for output in (_OUTPUT, _PLAIN):
        if wordcount.output(hdfs, output) != expected:
            raise exceptions.SaharaDockerError("the words were not counted right", where=output, observed=status)
    inside = _own_times(where, began)
    parts = {
        "Sahara, Oozie and its launcher, until MapReduce is asked": inside[0] - began,
        "MapReduce": inside[1] - inside[0],
        "until Sahara knows of the end": ended - inside[1],
    }
    total = results.Result("word count of 200 MB", "s", ended - began, None, floor, 1)
    return [total, *(results.Result(f"word count: {what}", "s", s, None, None, 1) for what, s in parts.items())]


def _define(lab: settings.Lab, cloud: rest.Cloud, made: contextlib.ExitStack) -> dict[str, str]:
    """Make what Sahara needs of a job; return the identifiers for its execution."""

    def make(path: str, key: str, body: dict[str, Any]) -> str:
        identifier = cloud.post("sahara", path, body)[key]["id"]
        made.callback(cloud.request, "DELETE", "sahara", f"{path}/{identifier}")
        return identifier

    sources = {
        name: make("/data-sources", "data_source", {"name": f"{_NAME}-{name}", "type": "hdfs", "url": url})
        for name, url in (("input", _INPUT), ("output", _OUTPUT))
    }
    jar = wordcount.examples_jar(lab)
    headers = {"Content-Type": "application/octet-stream"}
    stored = cloud.request("PUT", "sahara", f"/job-binary-internals/{_NAME}.jar", jar.read_bytes(), headers)
    stored_id = stored["job_binary_internal"]["id"]
    made.callback(cloud.request, "DELETE", "sahara", f"/job-binary-internals/{stored_id}")
    binary = make("/job-binaries", "job_binary", {"name": f"{_NAME}.jar", "url": f"internal-db://{stored_id}"})
    job = make("/jobs", "job", {"name": _NAME, "type": "MapReduce", "libs": [binary], "mains": []})
    return {"job": job, **sources}


def _execute(cloud: rest.Cloud, job: dict[str, str], where: cluster.Cluster, made: contextlib.ExitStack) -> str:
    """Run a job and wait for its end; return what Sahara says of it."""
    body = {
        "cluster_id": where.id,
        "input_id": job["input"],
        "output_id": job["output"],
        "job_configs": {"configs": _configs(), "params": {}, "args": []},
    }
    execution = cloud.post("sahara", f"/jobs/{job['job']}/execute", body)["job_execution"]["id"]
    made.callback(cloud.request, "DELETE", "sahara", f"/job-executions/{execution}")
    status = ""

    def ended() -> bool:
        nonlocal status
        # Asking with refresh makes Sahara look at the job now and not at its next round.
        found = cloud.get("sahara", f"/job-executions/{execution}/refresh-status")["job_execution"]
        status = found["info"].get("status") or ""
        return status in ("SUCCEEDED", "FAILED", "KILLED", "DONEWITHERROR")

    _poll(ended, "the job has not ended")
    if status != "SUCCEEDED":
        raise exceptions.SaharaDockerError("the job did not succeed", where=execution, observed=status)
    return status


def _configs() -> dict[str, str]:
    words = (settings.CHECKOUT / "examples/jobs/mapreduce/configs").read_text().split()
    return dict(word.split(":", 1) for word in words)


def _run_plainly(master: Any) -> None:
    options = [f"-D{name}={value}" for name, value in _configs().items() if "class" not in name]
    script = (
        f"hadoop jar /opt/hadoop/lib/hadoop-mapreduce-examples-*.jar wordcount {' '.join(options)} {_INPUT} {_PLAIN}"
    )
    code, output = master.exec_run(["su", "-", "hdfs", "-c", script])
    if code:
        raise exceptions.SaharaDockerError("the plain job failed", where=master.name, observed=output[-2000:].decode())


def _own_times(where: cluster.Cluster, since: float) -> tuple[float, float]:
    """When MapReduce was given the first job after a moment, and when that ended, by its history server."""
    found: list[dict[str, Any]] = []

    def is_there() -> bool:
        url = f"http://{where.node('master').address}:19888/ws/v1/history/mapreduce/jobs"
        jobs = (rest.call("GET", url, timeout=10)[1]["jobs"] or {}).get("job") or []
        found[:] = sorted((job for job in jobs if job["submitTime"] >= 1000 * since), key=lambda job: job["submitTime"])
        return bool(found)

    _poll(is_there, "MapReduce's history does not have the job")
    return found[0]["submitTime"] / 1000, found[0]["finishTime"] / 1000


def _poll(done: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _LIMIT
    while not done():
        if time.monotonic() > deadline:
            raise exceptions.SaharaDockerError(otherwise, where="lab", observed=f"after {_LIMIT:g} s")
        time.sleep(0.5)

# SPDX-License-Identifier: Apache-2.0
"""What the doctor says of a cluster's jobs; tests/end_to_end/test_jobs.py has jobs that fail on a real one."""

from __future__ import annotations

from typing import Any

from tests.unit.cli import doctoring

CLUSTER = {
    "id": "c1",
    "name": "demo",
    "status": "Active",
    "plugin_name": "cdh_docker",
    "hadoop_version": "5.13.0",
    "node_groups": [],
}


class Cloud:
    """Answers of Sahara's API."""

    def __init__(self, *jobs: dict[str, Any]) -> None:
        self._answers = {"/clusters": {"clusters": [CLUSTER]}, "/clusters/c1": {"cluster": CLUSTER}}
        self._answers["/job-executions"] = {"job_executions": list(jobs)}

    def login(self) -> None:
        """Nothing is to be done."""

    def get(self, service: str, path: str) -> Any:
        return self._answers[path.partition("?")[0]]


def job(identifier: str, day: int, cluster: str = "c1", **info: str) -> dict[str, Any]:
    return {"id": identifier, "cluster_id": cluster, "created_at": f"2026-01-{day:02}T12:00:00", "info": info}


class JobsTest(doctoring.DoctorTest):
    def place(self, *jobs: dict[str, Any]):
        return doctoring.place(connect=lambda: Cloud(*jobs), cluster_name="demo")

    def test_failed_jobs_are_named_the_latest_first(self):
        found = self.assert_named(
            "sahara.jobs",
            self.place(
                job("old", 1, status="FAILED", error="no bread"),
                job("new", 2, status="FAILED", error="exit code [1]\nno milk today"),
            ),
            "no bread",
        )
        self.assertEqual("job new: exit code [1]; no milk today; job old: no bread", found.result.saw)

    def test_jobs_of_others_and_such_that_did_not_fail(self):
        others = job("other", 1, cluster="c2", status="FAILED", error="not ours")
        self.assert_well("sahara.jobs", self.place(others, job("fine", 2, status="SUCCEEDED"), job("new", 3)))

# SPDX-License-Identifier: Apache-2.0
"""Spark jobs: the stock engine, with arguments as they were given, an end for what is cancelled, and causes.

Stock runs ``sudo -u spark spark-submit`` below a launcher, in a directory of the job's own on the node of Spark's
history server. The launcher writes what that says to ``stderr`` and its exit status to ``result``.
"""

from __future__ import annotations

import re
import shlex
from typing import Any

from sahara.utils import edp

from sahara_docker import exceptions

# The launcher passes the signal on, and ends when spark-submit does.
_LAUNCHER_SECONDS = 30
# YARN gathers the logs of an application some seconds after its end.
_LOOKS_FOR_LOGS = 5
_LONGEST_CAUSE = 1000


class SparkEngineMixin:
    """Goes before a stock ``EdpSparkEngine`` class of one version."""

    def _build_command(self, wf_dir: str, paths: list[str], builtin_paths: list[str], job_configs: Any) -> str:
        """Stock's command for the shell, in which each name and each argument of the job stays one word."""
        quoted = {**job_configs, "args": [shlex.quote(word) for word in job_configs.get("args", [])]}
        paths = [shlex.quote(path) for path in paths]
        return super()._build_command(wf_dir, paths, builtin_paths, quoted)  # type: ignore[misc]

    def cancel_job(self, job_execution: Any) -> dict[str, Any] | None:
        """End ``spark-submit`` and the job's application on YARN; return the job's state, None when it is over already.

        Stock ends ``spark-submit`` alone, which an application in the cluster outlives: it would run on unseen.

        :raises SaharaDockerError: YARN did not end the application; Sahara then tries again.
        """
        pid, instance = self._get_instance_if_running(job_execution)  # type: ignore[attr-defined]
        if instance is None:
            return None
        directory = job_execution.extra["spark-path"]
        with instance.remote() as remote:
            wait = f"timeout {_LAUNCHER_SECONDS} tail --pid={pid} -f /dev/null"
            remote.execute_command(f"kill -s INT {pid}; {wait}", raise_when_error=False)
            for application in _applications(_said(remote, directory)):
                _kill(remote, application)
            return self._get_job_status_from_remote(remote, pid, job_execution)

    def _get_job_status_from_remote(self, remote: Any, pid: str, job_execution: Any) -> dict[str, Any]:
        """Stock's state of a job, with the cause under ``error`` when it failed."""
        state = super()._get_job_status_from_remote(remote, pid, job_execution)  # type: ignore[misc]
        if state["status"] == edp.JOB_STATUS_DONEWITHERROR:
            state["error"] = _cause(remote, job_execution.extra["spark-path"])
        return state


def _said(remote: Any, directory: str) -> str:
    """What ``spark-submit`` has said, without its lines about the application's state, one a second."""
    command = f"grep -v 'Application report for' {directory}/stderr | tail -c 100000"
    return remote.execute_command(command, raise_when_error=False)[1]


def _applications(said: str) -> list[str]:
    """YARN's names of what a job has submitted: ``spark-submit`` says them before it does so."""
    return sorted(set(re.findall(r"application_\d+_\d+", said)))


def _kill(remote: Any, application: str) -> None:
    """End an application on YARN; one that has ended, or was never submitted, is fine."""
    command = f"sudo -u spark yarn application -kill {application} 2>&1"
    code, text = remote.execute_command(command, raise_when_error=False)
    if code and "doesn't exist" not in text:
        raise exceptions.SaharaDockerError(
            f"{application} of a Spark job cannot be ended",
            observed=text[-_LONGEST_CAUSE:],
            remedy="end it by 'yarn application -kill' on a node of the cluster",
        )


def _cause(remote: Any, directory: str) -> str:
    """Why a job failed, in the words of its program where it had the time to say some."""
    said = _said(remote, directory)
    diagnostics = re.findall(r"diagnostics: (.*?)\n\s*ApplicationMaster host:", said, re.DOTALL)
    if not diagnostics:  # it never came to YARN
        found = re.search(r"^(Error|Exception|Caused by|\S*Exception)\b.*", said, re.DOTALL | re.MULTILINE)
        return _without_stack(found.group() if found else said[-_LONGEST_CAUSE:])
    # Of a program in Python YARN knows no more than its exit status.
    trace = _traceback(remote, _applications(said)) if "exited with" in diagnostics[-1] else ""
    return _without_stack(f"{diagnostics[-1]}\n{trace}")


def _traceback(remote: Any, applications: list[str]) -> str:
    """The program's last words in the logs that YARN has gathered; empty when there are none."""
    for application in applications:
        logs = f"sudo -u spark yarn logs -applicationId {application} 2>/dev/null | grep -m 1 -A 60 '^Traceback'"
        looks = f"for look in $(seq {_LOOKS_FOR_LOGS}); do {logs} && break; sleep 2; done"
        text = remote.execute_command(looks, raise_when_error=False)[1]
        if text:
            return text.partition("\nEnd of LogType")[0]
    return ""


def _without_stack(text: str) -> str:
    """*text* without the indented lines, which are places in programs."""
    return "\n".join(line for line in text.splitlines() if line and not line[0].isspace())[:_LONGEST_CAUSE]

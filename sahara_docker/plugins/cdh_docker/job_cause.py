# SPDX-License-Identifier: Apache-2.0
"""Why a job failed, in the words of what failed: Oozie knows little more than an exit status.

Asked are the web services of YARN's ResourceManager (``/ws/v1/cluster/apps``) and of MapReduce's JobHistory server
(``/ws/v1/history/mapreduce/jobs``), and the pages with which NodeManagers and the JobHistory server show logs.
"""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import requests

from sahara_docker import exceptions

#: Seconds for one answer; and those in which the logs of a job that has just ended come to the JobHistory server.
TIMEOUT, LOG_TIMEOUT = 10, 20
RESOURCE_MANAGER_PORT, JOB_HISTORY_PORT, NODE_MANAGER_PORT, NODE_MANAGER_WEB_PORT = 8088, 19888, 8041, 8042
#: As much of a log's end as a person reads, in bytes.
EXCERPT = 2000
#: Lines on stderr that every launcher of Oozie and every task has, whatever happens.
_NOISE = re.compile(r"WARNING: |log4j:|SLF4J|OpenJDK 64-Bit|Picked up |INFO: ")


class Sources:
    """Where a cluster's jobs leave word.

    :param get: takes a node's full name, a port and a path; returns the answer, without following redirections.
        It raises :class:`requests.RequestException` when there is none.
    :param resource_managers: full names of their nodes.
    :param job_history: full name of the JobHistory server's node.
    """

    def __init__(
        self, get: Callable[[str, int, str], requests.Response], resource_managers: list[str], job_history: str
    ) -> None:
        self._get, self._resource_managers, self._history = get, resource_managers, job_history

    def cause(self, actions: list[dict[str, Any]]) -> str:
        """Tell why a workflow failed, in a few lines.

        :param actions: of the workflow, as Oozie's ``show=info`` has them.
        """
        lines: list[str] = []
        for action in actions:
            if action.get("status") not in ("ERROR", "FAILED", "START_MANUAL", "END_MANUAL"):
                continue
            message = " ".join(filter(None, (action.get("errorCode"), action.get("errorMessage"))))
            lines.append(message or f"action {action['name']} failed")
            # Oozie names a MapReduce job among the children of its launcher, and has no message for its failure.
            for application in (*(action.get("externalChildIDs") or "").split(","), action.get("externalId") or ""):
                try:
                    found = [word for word in self._words_of(application) if word]
                except (
                    requests.RequestException,
                    exceptions.SaharaDockerError,
                    LookupError,
                    TypeError,
                    ValueError,
                ) as fault:
                    found = [f"(its logs were not to be had: {fault})"]
                if found:
                    lines += found
                    break
        return "\n".join(lines)

    def _words_of(self, application: str) -> Iterator[str]:
        if application.startswith("job_"):
            yield from self._of_mapreduce(application)
        elif application.startswith("application_"):
            yield from self._of_launcher(application)

    def _of_launcher(self, application: str) -> Iterator[str]:
        for node in self._resource_managers:
            answer = self._get(node, RESOURCE_MANAGER_PORT, f"/ws/v1/cluster/apps/{application}")
            if answer.status_code == requests.codes.ok:
                app = answer.json()["app"]
                logs = re.match(r"https?://([^/:]+)(?::\d+)?/node/containerlogs/(\w+)/([^/]+)", app["amContainerLogs"])
                if logs:
                    yield self._log(*logs.groups())
                return

    def _of_mapreduce(self, job: str) -> Iterator[str]:
        """The words of the first task that failed for good."""
        place = f"/ws/v1/history/mapreduce/jobs/{job}/tasks"
        for task in self._history_of(place, "task"):
            if task["state"] != "FAILED":
                continue
            for attempt in self._history_of(f"{place}/{task['id']}/attempts", "taskAttempt"):
                if attempt["state"] == "FAILED":
                    yield attempt.get("diagnostics", "").strip()[:EXCERPT]
                    node = attempt["nodeHttpAddress"].rpartition(":")[0]
                    yield self._log(node, attempt["assignedContainerId"], "hdfs")
                    return

    def _history_of(self, path: str, kind: str) -> list[dict[str, Any]]:
        answer = self._get(self._history, JOB_HISTORY_PORT, path)
        answer.raise_for_status()
        # A list without elements comes as an empty text, one with a single one as that, at least in some releases.
        found = (answer.json()[f"{kind}s"] or {}).get(kind, [])
        return found if isinstance(found, list) else [found]

    def _log(self, node: str, container: str, user: str) -> str:
        """The end of what a container wrote on stderr: the node has it at first, then the JobHistory server."""
        aggregated = f"/jobhistory/logs/{node}:{NODE_MANAGER_PORT}/{container}/{container}/{user}"
        places = (
            (node, NODE_MANAGER_WEB_PORT, f"/node/containerlogs/{container}/{user}"),
            (self._history, JOB_HISTORY_PORT, aggregated),
        )
        deadline = time.monotonic() + LOG_TIMEOUT
        while True:
            for host, port, path in places:
                answer = self._get(host, port, f"{path}/stderr/?start=-{2 * EXCERPT}")
                shown = re.search(r"<pre>(.*?)</pre>", answer.text, re.DOTALL)
                if answer.status_code == requests.codes.ok and shown:
                    lines = html.unescape(shown[1]).splitlines()
                    return "\n".join(line for line in lines if line.strip() and not _NOISE.match(line))[-EXCERPT:]
            if time.monotonic() > deadline:
                return "(its log is not there)"
            time.sleep(1)

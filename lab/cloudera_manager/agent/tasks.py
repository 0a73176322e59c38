# SPDX-License-Identifier: Apache-2.0
"""What the server may ask of an agent: each task is a kind and a payload, and ends with ok, message and log_tail."""

from __future__ import annotations

import pathlib
from typing import Any

from . import process, process_files
from .supervisor import Supervisor


def perform(supervisor: Supervisor, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Carry out one task. It never raises: whatever went wrong is the task's outcome."""
    try:
        if kind == "start":
            return supervisor.start(payload)
        if kind == "stop":
            return supervisor.stop(payload["role"])
        if kind == "forget":
            return supervisor.forget(payload["role"])
        if kind == "add_files":
            return supervisor.add_files(payload["role"], payload["files"])
        if kind == "log":
            return supervisor.log(payload["role"], payload["name"])
        if kind == "client_configuration":
            process_files.write_client_configuration(pathlib.Path(payload["directory"]), payload["files"])
            return {"ok": True, "message": f"written to {payload['directory']}", "log_tail": ""}
        if kind == "run":
            return _run(supervisor, payload)
        return _failed(f"this agent does not know tasks of kind {kind!r}")
    except process_files.FilesError as error:
        return _failed(str(error))
    except Exception as error:  # the server must hear of it; anything else would leave its command waiting
        return _failed(f"the agent failed: {type(error).__name__}: {error}")


def _failed(message: str, log_tail: str = "") -> dict[str, Any]:
    return {"ok": False, "message": message, "log_tail": log_tail}


def _run(supervisor: Supervisor, payload: dict[str, Any]) -> dict[str, Any]:
    """Run a command once, with a process directory of its own; not at all when a path of ``unless_exists`` is there."""
    for path in payload.get("unless_exists", []):
        if pathlib.Path(path).exists():
            return {"ok": True, "message": f"not needed: {path} exists", "log_tail": ""}
    process_files.make_directories(payload.get("directories", []))
    directory = supervisor.directory(payload)
    process_files.write(directory, payload["files"], payload["user"])
    status, output = process.run(
        [process_files.fill_in(word, directory) for word in payload["argv"]],
        user=payload["user"],
        env=process_files.environment(payload, directory),
        directory=directory,
        timeout=payload["timeout"],
    )
    (directory / "logs" / "stdout.log").write_text(output + "\n", encoding="utf-8")
    if status == 0:
        return {"ok": True, "message": "exit status 0", "log_tail": output}
    if status is None:
        return _failed(f"{payload['name']} took longer than {payload['timeout']} s", output)
    return _failed(f"{payload['name']} ended with status {status}", output)

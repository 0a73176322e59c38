# SPDX-License-Identifier: Apache-2.0
"""JSON files that survive a crash: the old content or the new one, never half of it."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import tempfile
from typing import Any


def write_text(path: pathlib.Path, text: str, *, mode: int = 0o600) -> None:
    """Replace ``path`` by ``text`` in one step.

    :raises OSError: when the directory cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def write_json(path: pathlib.Path, value: Any) -> None:
    """Replace ``path`` by the JSON of ``value``, readable by its owner only; a record is the object of its fields."""
    # On one line: with an indent Python's encoder takes ten times as long, and the server's state is saved often.
    write_text(path, json.dumps(value, default=vars, sort_keys=True) + "\n")


def read_json(path: pathlib.Path) -> Any:
    """Return the value in ``path``, or None when there is no such file.

    :raises ValueError: when the file does not hold JSON; the text names the file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{path} does not hold JSON: {error}; move it away to start with an empty state") from error

# SPDX-License-Identifier: Apache-2.0
"""Short names for what something was made from, so that it is made again exactly when that has changed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

#: Not part of what a directory means.
_IGNORED = ("__pycache__", ".new")


def of(*inputs: str | Path) -> str:
    """Return 12 hexadecimal digits that stand for *inputs*: texts, files, and directories with all below them.

    Of files count the content, the mode's execute bit and, below a directory, the relative path; owner and times do
    not. A path that does not exist counts as such.
    """
    digest = hashlib.sha256()
    for position, one in enumerate(inputs):
        digest.update(f"\n#{position} ".encode())
        if isinstance(one, str):
            digest.update(one.encode())
        elif one.is_dir():
            for path in files(one):
                _add(digest, path, str(path.relative_to(one)))
        else:
            _add(digest, one, one.name)
    return digest.hexdigest()[:12]


def files(directory: Path) -> list[Path]:
    """Files and symbolic links below *directory* that count, sorted by path."""
    found = []
    for parent, directories, names in os.walk(directory):
        directories[:] = [name for name in directories if not name.endswith(_IGNORED)]
        links = [name for name in directories if Path(parent, name).is_symlink()]
        found += [Path(parent, name) for name in (*names, *links)]
    return sorted(found)


def _add(digest: hashlib._Hash, path: Path, name: str) -> None:
    if path.is_symlink():
        kind, content = "link", os.readlink(path).encode()
    elif path.is_file():
        kind = "program" if os.access(path, os.X_OK) else "file"
        content = hashlib.sha256(path.read_bytes()).digest()
    else:
        kind, content = "absent", b""
    digest.update(f"{kind} {name}\n".encode() + content)

# SPDX-License-Identifier: Apache-2.0
"""Runs in an environment where the package was installed, with groups of entry points as arguments.

Loads those entry points, and prints as JSON what it loaded and which files the package shares with another.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys

package = importlib.metadata.distribution("sahara-docker")
loaded = [
    f"{entry.group} {entry.name} {entry.load().__name__}"
    for entry in package.entry_points
    if entry.group in sys.argv[1:]
]
ours = {file.locate().resolve() for file in package.files or ()}
shared = [
    f"{other.metadata['Name']}: {file}"
    for other in importlib.metadata.distributions()
    if other.metadata["Name"] != "sahara-docker"
    for file in other.files or ()
    if file.locate().resolve() in ours
]
print(json.dumps({"loaded": sorted(loaded), "shared": shared, "files": [str(file) for file in package.files or ()]}))

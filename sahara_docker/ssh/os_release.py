# SPDX-License-Identifier: Apache-2.0
"""A node's distribution, from os-release(5), in the names that Sahara and its plugins compare with.

Stock Sahara asks Python's ``platform.linux_distribution``, which is gone since 3.8, and needs Python in the image.
"""

from __future__ import annotations

import shlex

COMMAND = "cat /etc/os-release || cat /usr/lib/os-release"

# What linux_distribution(full_distribution_name=0) said, where os-release's ID differs.
_NAMES = {"rhel": "redhat"}
_REDHAT_LIKE = {"rhel", "centos"}
_KNOWN = {"ubuntu", "debian", "centos", "redhat", "fedora"}


def parse(text: str) -> dict[str, str]:
    """The file's assignments."""
    fields = {}
    for line in text.splitlines():
        name, assigned, value = line.partition("=")
        if assigned and not name.startswith("#"):
            fields[name.strip()] = " ".join(shlex.split(value))
    return fields


def distribution(text: str) -> str:
    """``ubuntu``, ``debian``, ``centos`` (its rebuilds, too), ``redhat``, ``fedora``; else the file's ID."""
    fields = parse(text)
    name = fields.get("ID", "").lower()
    name = _NAMES.get(name, name)
    if name not in _KNOWN and _REDHAT_LIKE & set(fields.get("ID_LIKE", "").lower().split()):
        return "centos"
    return name


def version(text: str) -> str:
    """Version as the distribution numbers it, such as ``22.04`` or ``12``; empty for a rolling one."""
    return parse(text).get("VERSION_ID", "")

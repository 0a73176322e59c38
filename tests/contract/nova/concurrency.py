# SPDX-License-Identifier: Apache-2.0
"""The ways in which a nova-compute of the Nova that is installed here can run its threads."""

from __future__ import annotations

from nova import utils

_VARIABLE = "OS_NOVA_DISABLE_EVENTLET_PATCHING"


def ways() -> dict[str, dict[str, str]]:
    """Return name -> environment variables of a process that runs so.

    The variable is older than the native way: without its other half, Nova calls eventlet all the same.
    """
    found = {"eventlet": {_VARIABLE: "false"}}
    if hasattr(utils, "concurrency_mode_threading"):
        found["native threads"] = {_VARIABLE: "true"}
    return found

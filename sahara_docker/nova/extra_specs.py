# SPDX-License-Identifier: Apache-2.0
"""The flavor extra specs that this driver knows, for Nova's API to check when a flavor is made.

Entry point ``docker`` of ``nova.api.extra_spec_validators``: so the package has to be installed where Nova's API runs,
too. The API checks from compute microversion 2.86 on, and refuses then a ``docker:`` name that is not here.
"""

from __future__ import annotations

from typing import Any

from nova.api.validation.extra_specs import base

NAMESPACE = "docker"
# Comma-separated lists; what their items mean, sahara_docker.nova.limits checks at the latest when an instance is made.
_ULIMITS = r"\s*[a-z]+=-?\d+(:-?\d+)?\s*(,\s*[a-z]+=-?\d+(:-?\d+)?\s*)*"
_SYSCTLS = r"\s*[a-z0-9_.]+=[^,=]+(,\s*[a-z0-9_.]+=[^,=]+)*"
_CAPABILITIES = r"\s*[A-Z_]+\s*(,\s*[A-Z_]+\s*)*"
_DEVICES = r"\s*/dev/[^,:]+(:/[^,:]+(:[rwm]{1,3})?)?\s*(,\s*/dev/[^,:]+(:/[^,:]+(:[rwm]{1,3})?)?\s*)*"


def _spec(name: str, description: str, kind: type, **value: Any) -> base.ExtraSpecValidator:
    return base.ExtraSpecValidator(name=f"{NAMESPACE}:{name}", description=description, value={"type": kind, **value})


_VALIDATORS = [
    _spec("ulimits", "Resource limits, name=soft:hard or name=value, over those of nova.conf", str, pattern=_ULIMITS),
    _spec("sysctls", "Kernel parameters of the instance's own namespaces, name=value", str, pattern=_SYSCTLS),
    _spec("pids_limit", "Most processes and threads", int, min=16),
    _spec("shm_size_mb", "Size of /dev/shm in MiB; it counts against the memory", int, min=1),
    _spec("cpu_cap", "Whether the instance never gets more CPU time than its vCPUs, on an idle host either", bool),
    _spec("data_gb", "Size of the data volume in GiB, out of the flavor's root and ephemeral disk", int, min=1),
    _spec("cap_add", "Linux capabilities beyond Docker's default, without CAP_", str, pattern=_CAPABILITIES),
    _spec("cap_drop", "Linux capabilities of Docker's default that the instance lacks", str, pattern=_CAPABILITIES),
    _spec("devices", "Devices of the host, as /dev/host[:/dev/instance[:rwm]]", str, pattern=_DEVICES),
    _spec("privileged", "Run privileged, which makes root in the instance root on the host", bool),
]


def register() -> list[base.ExtraSpecValidator]:
    """Return the validators, as Nova's API wants them."""
    return _VALIDATORS

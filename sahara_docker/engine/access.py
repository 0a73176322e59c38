# SPDX-License-Identifier: Apache-2.0
"""Waits for the login to new nodes, and tells why it does not work yet.

Stock Sahara asks for ``.ssh/authorized_keys``, which cloud-init makes and a container never has, polls every 5 s for 3
hours, and hides every cause. Here a node is accessible when a login works.
"""

from __future__ import annotations

import time
from typing import Any, Callable

from oslo_log import log as logging
from sahara import context
from sahara import exceptions as sahara_exceptions

from sahara_docker import exceptions
from sahara_docker.ssh import errors

LOG = logging.getLogger(__name__)

_FIRST_POLL, _LONGEST_POLL = 0.2, 3.0
# A login must answer within this; a new try is better than a longer wait.
_ONE_LOGIN = 30.0
# While a system boots, PAM refuses every password (pam_nologin) and cloud-init may not have brought the key yet.
_REFUSAL_GRACE = 10.0


class NodeNotAccessible(exceptions.SaharaDockerError):
    """The login to a node did not work in time, or will never work."""


def wait_for_login(
    instance: Any,
    timeout: float,
    report: Callable[[Any, Exception], None],
    abandoned: Callable[[], bool],
) -> None:
    """Poll until a login to *instance* works.

    :param timeout: seconds.
    :param report: called with the instance and the cause after each failed try.
    :param abandoned: asked after each failed try whether the wait has become useless: another node failed for good.
    :raises NodeNotAccessible: with the last cause.
    """
    end = time.monotonic() + timeout
    pause = _FIRST_POLL
    first_refusal = None
    while True:
        try:
            instance.remote().check_login(timeout=_ONE_LOGIN)
            return
        except (errors.SshError, sahara_exceptions.TimeoutException) as failure:
            cause = failure
        report(instance, cause)
        now = time.monotonic()
        if not getattr(cause, "transient", True):
            first_refusal = first_refusal or now
            if isinstance(cause, errors.HostKeyChanged) or now - first_refusal >= _REFUSAL_GRACE:
                raise cause
        if now >= end:
            raise NodeNotAccessible(
                f"no login within {timeout:g} s", where=instance.instance_name, observed=str(cause)
            ) from cause
        if abandoned():
            raise NodeNotAccessible(
                "no login yet when the wait was given up", where=instance.instance_name, observed=str(cause)
            ) from cause
        context.sleep(min(pause, max(end - now, 0)))
        pause = min(pause * 1.5, _LONGEST_POLL)


class Reporter:
    """Puts what the nodes still wait for into one line, such as a cluster's status_description.

    :param publish: takes the line; called at most every *interval* seconds.
    :param total: number of nodes.
    """

    def __init__(self, publish: Callable[[str], None], total: int, interval: float = 5.0) -> None:
        self._publish = publish
        self._total = total
        self._interval = interval
        self._due = time.monotonic() + interval
        self._causes: dict[str, str] = {}
        self.published = False

    def waiting(self, instance: Any, cause: Exception) -> None:
        if self._causes.get(instance.instance_name) != str(cause):
            LOG.info("Login does not work yet: %s", cause)
        self._causes[instance.instance_name] = str(cause)
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + self._interval
        self.published = True
        name, text = sorted(self._causes.items())[0]
        others = f" and {len(self._causes) - 1} more" if len(self._causes) > 1 else ""
        self._publish(f"Waiting for the login to {name}{others} of {self._total} nodes: {text}")

    def done(self, instance: Any) -> None:
        self._causes.pop(instance.instance_name, None)

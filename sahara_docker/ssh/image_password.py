# SPDX-License-Identifier: Apache-2.0
"""The password of an image's login user, from the image's own registration: a property of the image in Glance.

It is read with Sahara's service credentials, so that Glance's property protections may hide it from everyone else.
Sahara's own image API shows only properties whose names begin with ``_sahara``.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from typing import Any

from keystoneauth1 import session as keystone_session
from oslo_config import cfg
from oslo_log import log as logging
from sahara import context
from sahara.utils.openstack import keystone

from sahara_docker import exceptions

CONF = cfg.CONF
LOG = logging.getLogger(__name__)

PROPERTY = "sahara_docker_password"

# For the logins of one operation. An image may be registered anew at any time, also to mend a wrong password.
_VALID = 60.0
_HTTP_TIMEOUT = 10.0
_ADMIN_ROLE = "admin"


class ImageUnreadable(exceptions.SaharaDockerError):
    """Glance did not show the image."""


@dataclasses.dataclass(frozen=True)
class _Answer:
    password: str | None
    failure: ImageUnreadable | None
    until: float


class ImagePasswords:
    """Passwords of images by image id, each asked for once in a minute."""

    def __init__(self) -> None:
        self._answers: dict[str, _Answer] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._warned: set[str] = set()

    def get(self, image_id: str) -> str | None:
        """The image's password; None when it has none.

        :raises ImageUnreadable: when that cannot be found out.
        """
        with self._locks.setdefault(image_id, threading.Lock()):
            answer = self._answers.get(image_id)
            if answer is None or answer.until < time.monotonic():
                answer = self._answers[image_id] = self._ask(image_id)
        if answer.failure is not None:
            raise answer.failure
        return answer.password

    def _ask(self, image_id: str) -> _Answer:
        password = failure = None
        try:
            image = _read(image_id, keystone.auth_for_admin(project_name=CONF.trustee.project_name))
            password = image.get(PROPERTY) or None
        except Exception as cause:
            # Keystone's and Glance's words; neither repeats an image's properties.
            observed = str(cause) or type(cause).__name__
            failure = ImageUnreadable(
                "Glance does not show the image to Sahara's service user",
                where=f"image {image_id}",
                observed=observed,
                remedy="see [trustee] in sahara.conf; the user needs the admin role in its project",
            )
            LOG.debug("%s", failure)
        if password is not None and image_id not in self._warned and _is_open(image):
            self._warned.add(image_id)
            LOG.warning(
                "Everyone who sees the %s image %s can read its property %s: protect the property in Glance "
                "(see docs/security.md)",
                image["visibility"],
                image_id,
                PROPERTY,
            )
        return _Answer(password, failure, time.monotonic() + _VALID)


def _read(image_id: str, auth: Any) -> dict[str, Any]:
    session = keystone_session.Session(
        verify=False if CONF.glance.api_insecure else CONF.glance.ca_file or True, timeout=_HTTP_TIMEOUT
    )
    endpoint = {
        "service_type": "image",
        "interface": CONF.glance.endpoint_type,
        "region_name": CONF.os_region_name,
    }
    # Without a log: at DEBUG it would show the whole answer.
    return session.get(f"/v2/images/{image_id}", auth=auth, endpoint_filter=endpoint, log=False).json()


def _is_open(image: dict[str, Any]) -> bool:
    """Whether the user of the present operation, who is nobody special, can read the property as well.

    False also when that cannot be found out: a login needs the password, not this.
    """
    if image.get("visibility") not in ("public", "community"):
        return False
    try:
        return _ADMIN_ROLE not in (context.current().roles or []) and PROPERTY in _read(image["id"], keystone.auth())
    except Exception as failure:
        LOG.debug("Who can read image %s was not found out: %s", image.get("id"), failure)
        return False

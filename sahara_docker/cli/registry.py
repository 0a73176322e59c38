# SPDX-License-Identifier: Apache-2.0
"""What Glance and Sahara know of an image, by the names that this package's parts read it under."""

from __future__ import annotations

from typing import Any, Mapping

#: Glance property with the password of the image's login user, which Sahara's remote reads (``sahara_docker.ssh``).
PASSWORD = "sahara_docker_password"  # noqa: S105 - a name
#: Glance properties in which Sahara keeps its registry (``sahara.utils.openstack.images``).
USER, DESCRIPTION = "_sahara_username", "_sahara_description"
_TAG = "_sahara_tag_"


def tag(name: str) -> str:
    """Return the property that is ``True`` on an image with that tag."""
    return _TAG + name


def tags(image: Mapping[str, Any]) -> list[str]:
    """Return the tags that Sahara knows an image by."""
    return sorted(name[len(_TAG) :] for name, value in image.items() if name.startswith(_TAG) and value == "True")

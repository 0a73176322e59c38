# SPDX-License-Identifier: Apache-2.0
"""With what to log in to a node, and in which order.

A node that has never been logged in to accepts its image's password; some images take keys from cloud-init. A node that
has been should accept its cluster's key; else its own password; and its image's, when an engine process died before it
had replaced that. What a refused attempt costs sets the order: a key nothing, a password some two seconds of PAM's.
"""

from __future__ import annotations

import functools
from typing import Any, Iterator

from oslo_config import cfg

from sahara_docker.ssh import authentication, image_password, node_password, route

_REMEDY = "it must be the password of the user that the image is registered with"


class Logins:
    """The logins of this process's nodes.

    :param conf: sahara.conf.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf
        self._images = image_password.ImagePasswords()
        self._used: dict[str, set[str]] = {}

    def of(self, instance: Any) -> route.Login:
        return route.Login(instance.node_group.image_username, functools.partial(self._methods, instance))

    def secrets(self, node_id: str) -> list[str]:
        """What to hide in texts about a node: the passwords that this process has used there."""
        return [*self._used.get(node_id, ()), self._conf.sahara_docker.ssh_password or ""]

    def keep_secret(self, node_id: str, secret: str) -> None:
        self._used.setdefault(node_id, set()).add(secret)

    def forget(self, node_id: str) -> None:
        self._used.pop(node_id, None)

    def _methods(self, instance: Any, acquainted: bool) -> Iterator[authentication.Method]:
        ways = [self._image_password, self._key, self._own_password]
        if acquainted:
            ways = [self._key, self._own_password, self._image_password]
        for way in ways:
            method = way(instance)
            if isinstance(method, authentication.Password):
                self.keep_secret(instance.instance_id, method.secret)
            if method is not None:
                yield method

    def _key(self, instance: Any) -> authentication.Method | None:
        key = instance.node_group.cluster.management_private_key
        return authentication.Key(key) if key else None

    def _own_password(self, instance: Any) -> authentication.Method | None:
        cluster_id = instance.node_group.cluster.id
        try:
            secret = node_password.read(cluster_id)
        except node_password.KeyManagerFailed as failure:
            return authentication.Missing(str(failure))
        if secret is None:
            return None
        remedy = "it was replaced on the node by somebody else; log in by another way and mend the node, or replace it"
        return authentication.Password(node_password.derive(secret, instance.instance_id), node_password.ORIGIN, remedy)

    def _image_password(self, instance: Any) -> authentication.Method:
        image_id = instance.node_group.get_image_id()
        try:
            password = self._images.get(image_id)
            missing = f"image {image_id} has no property {image_password.PROPERTY}"
        except image_password.ImageUnreadable as failure:
            password, missing = None, str(failure)
        if password is not None:
            origin = f"the image's property {image_password.PROPERTY}"
            return authentication.Password(password, origin, f"{origin}: {_REMEDY}")
        password = self._conf.sahara_docker.ssh_password
        if password is not None:
            origin = "[sahara_docker] ssh_password"
            return authentication.Password(password, origin, f"{origin}: {_REMEDY}")
        return authentication.Missing(f"{missing}, and [sahara_docker] ssh_password is not set")

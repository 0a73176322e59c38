# SPDX-License-Identifier: Apache-2.0
"""The model on disk. Who reads or changes the model holds the store's lock; who changed it saves."""

from __future__ import annotations

import contextlib
import pathlib
import threading
from collections.abc import Iterator

from .. import durable
from . import passwords
from .model import Model, User

KEPT_COMMANDS = 500


class Store:
    """The model, its lock and its file.

    :raises ValueError: the file does not hold a model.
    """

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self.lock = threading.RLock()
        value = durable.read_json(path)
        self.model = Model.from_json(value) if value else Model()
        if not self.model.users:
            # Cloudera Manager's own first login, which Sahara replaces at once.
            salt, digest = passwords.digest("admin")
            self.model.users["admin"] = User("admin", ["ROLE_ADMIN"], salt, digest)
        for command in self.model.commands.values():
            if command.active:
                command.end(False, "Cloudera Manager was restarted while this command ran; start it again")
        for role in self._roles():
            if role.state in ("STARTING", "STOPPING"):
                role.state = "STOPPED"
        self.save()

    def _roles(self) -> Iterator:
        for cluster in self.model.clusters.values():
            for service in cluster.services.values():
                yield from service.roles.values()

    def save(self) -> None:
        """Write the model to its file, in one step."""
        with self.lock:
            ended = [command.id for command in self.model.commands.values() if not command.active]
            for number in sorted(ended)[:-KEPT_COMMANDS]:
                del self.model.commands[number]
            durable.write_json(self._path, self.model)

    @contextlib.contextmanager
    def changing(self) -> Iterator[Model]:
        """Hold the lock, and save when the block ends without an error."""
        with self.lock:
            yield self.model
            self.save()

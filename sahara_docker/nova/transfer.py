# SPDX-License-Identifier: Apache-2.0
"""Glance as the carrier between two hosts: they share neither storage nor logins.

What is sent is an image of the one who asks for the move, private, and gone when the move is over. Its id stands in the
instance's system metadata meanwhile, so that whoever ends the move, or the instance, can take it away; and so that a
move that was cut off on arrival can be taken up again.
"""

from __future__ import annotations

import contextlib
import tempfile
from typing import IO, Any, Iterable, Iterator

from nova import exception
from oslo_log import log as logging
from oslo_utils import uuidutils

from sahara_docker.nova import image

LOG = logging.getLogger(__name__)

# Keys of the system metadata, one a file, because a value holds 255 characters: what was sent -> its Glance id; and the
# Glance id of what is to go.
_SENT, _DOOMED = "docker_sent:", "docker_doomed:"


class Transfer:
    """Sends and receives files of any size.

    :param images: the host's way to Glance.
    :param spool: directory for what is on its way.
    """

    def __init__(self, images: image.ImageStore, spool: str) -> None:
        self._images, self._spool = images, spool

    def send(self, context: Any, instance: Any, what: str, chunks: Iterable[bytes]) -> None:
        """Store *chunks* in Glance.

        :param what: its name, which an operator may see.
        """
        glance_id = uuidutils.generate_uuid()  # known before it is there, so that it is never there unknown
        instance.system_metadata[f"{_SENT}{what}"] = glance_id
        instance.save()
        self._images.create(context, glance_id, f"move of {instance.uuid}: {what}")
        self._images.write(context, glance_id, chunks)

    @staticmethod
    def sent(instance: Any) -> dict[str, str]:
        """Return what is on its way for an instance: name -> Glance id."""
        return {key[len(_SENT) :]: value for key, value in instance.system_metadata.items() if key.startswith(_SENT)}

    @contextlib.contextmanager
    def received(self, context: Any, glance_id: str) -> Iterator[IO[bytes]]:
        """Return a file with what was sent as *glance_id*, checked against Glance's checksum; gone after the block."""
        with tempfile.TemporaryFile(dir=self._spool) as file:
            self._images.download(context, glance_id, file)
            yield file

    def discard(self, context: Any, instance: Any) -> None:
        """Remove what was sent for an instance, and it is on its way no more."""
        for what, glance_id in self.sent(instance).items():
            del instance.system_metadata[f"{_SENT}{what}"]
            instance.system_metadata[f"{_DOOMED}{glance_id}"] = what
        _save(instance)  # before the first one is gone, or a move that was cut off would be taken up with the rest
        self.remove_doomed(context, instance)

    def remove_doomed(self, context: Any, instance: Any) -> None:
        """Remove from Glance what is on its way no more; what cannot be removed now is left for the next call.

        At the start of nova-compute there is no user in whose name Glance would do it.
        """
        doomed = [key for key in instance.system_metadata if key.startswith(_DOOMED)]
        for key in doomed:
            try:
                self._images.delete(context, key[len(_DOOMED) :])
            except exception.ImageNotFound:
                pass
            except Exception as error:
                LOG.warning("Image %s stays in Glance for now: %s", key[len(_DOOMED) :], error, instance=instance)
                continue
            del instance.system_metadata[key]
        if doomed:
            _save(instance)


def _save(instance: Any) -> None:
    if not instance.deleted:
        instance.save()

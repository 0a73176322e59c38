# SPDX-License-Identifier: Apache-2.0
"""Glance as the carrier between two hosts: they share neither storage nor logins.

What is sent is an image of the one who asks for the move, private, and gone when the move is over. Its id stands in the
instance's system metadata meanwhile, so that whoever ends the move, or the instance, can take it away.
"""

from __future__ import annotations

import contextlib
import tempfile
from typing import IO, Any, Iterable, Iterator

from nova import exception
from oslo_log import log as logging

from sahara_docker.nova import image

LOG = logging.getLogger(__name__)

_RECORD = "docker_transfer_images"


class Transfer:
    """Sends and receives files of any size.

    :param images: the host's way to Glance.
    :param spool: directory for what is on its way.
    """

    def __init__(self, images: image.ImageStore, spool: str) -> None:
        self._images, self._spool = images, spool

    def send(self, context: Any, instance: Any, what: str, chunks: Iterable[bytes]) -> str:
        """Store *chunks* in Glance and return the id there.

        :param what: for its name, which an operator may see.
        """
        glance_id = self._images.create(context, f"move of {instance.uuid}: {what}")
        recorded = instance.system_metadata.get(_RECORD)
        instance.system_metadata[_RECORD] = f"{recorded},{glance_id}" if recorded else glance_id
        instance.save()
        self._images.write(context, glance_id, chunks)
        return glance_id

    @contextlib.contextmanager
    def received(self, context: Any, glance_id: str) -> Iterator[IO[bytes]]:
        """Return a file with what was sent as *glance_id*, checked against Glance's checksum; gone after the block."""
        with tempfile.TemporaryFile(dir=self._spool) as file:
            self._images.download(context, glance_id, file)
            yield file

    def discard(self, context: Any, instance: Any) -> None:
        """Remove what was sent for an instance; what Glance refuses to remove is named in the log."""
        recorded: str = instance.system_metadata.pop(_RECORD, "")
        for glance_id in recorded.split(",") if recorded else []:
            try:
                self._images.delete(context, glance_id)
            except exception.ImageNotFound:
                continue
            except Exception as error:
                LOG.warning("Remove image %s from Glance by hand: %s", glance_id, error, instance=instance)
        if recorded:
            instance.save()

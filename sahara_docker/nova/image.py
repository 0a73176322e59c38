# SPDX-License-Identifier: Apache-2.0
"""Images: from Glance into the Docker daemon, and snapshots back.

An image is found again by a reference that only this module sets: ``nova/<Glance id>:<checksum>``. Nothing that a
tenant writes, not a property, not a name in the archive, leads to an image that happens to be on the host.
"""

from __future__ import annotations

import contextlib
import errno
import io
import re
import tempfile
from typing import IO, Any, Callable, Collection, Iterable, Iterator

import docker.errors
from nova import exception, objects
from nova.image import glance
from oslo_concurrency import lockutils
from oslo_log import log as logging
from oslo_utils import timeutils

from sahara_docker.nova import archive, hypervisor

LOG = logging.getLogger(__name__)

_REPOSITORY = "nova/"
_CHUNK = 1 << 20
# Of files of images, in bytes and in number.
_LARGEST_KEPT, _MOST_KEPT = 1 << 16, 256
# Architecture of a host -> others whose images it runs too.
_ALSO_RUN_BY = {"amd64": ("386",), "arm64": ("arm",)}
# What a tag may look like; a checksum from Glance is hexadecimal.
_CHECKSUM = re.compile(r"[0-9a-f]{1,128}\Z")


class ImageStore:
    """The images of one daemon that come from Glance.

    :param daemon: where they are loaded.
    :param spool_directory: for an archive on its way into the daemon.
    """

    def __init__(self, daemon: hypervisor.Hypervisor, spool_directory: str) -> None:
        self._daemon, self._spool_directory = daemon, spool_directory
        self._glance = glance.API()
        self._files: dict[tuple[str, str], bytes | None] = {}

    def ensure(self, context: Any, image_meta: Any, *, trusted_certs: Any = None) -> str:
        """Return the Docker ID of a Glance image, loading the image when the host lacks it.

        However many instances ask at once, it is loaded once.

        :param image_meta: nova.objects.ImageMeta.
        :param trusted_certs: nova.objects.TrustedCerts or None.
        :raises nova.exception.ImageUnacceptable: it is not one Docker image, or not what Glance says it is.
        :raises nova.exception.ImageNotFound: Glance does not have it.
        """
        reference = _reference(image_meta)
        with lockutils.lock(f"docker-image-{image_meta.id}"):
            return self._find(reference) or self._load(context, image_meta.id, reference, trusted_certs)

    def _find(self, reference: str) -> str | None:
        with hypervisor.explained(f"cannot look for the image {reference}"):
            try:
                return self._daemon.api.inspect_image(reference)["Id"]
            except docker.errors.ImageNotFound:
                return None

    def _load(self, context: Any, image_id: str, reference: str, trusted_certs: Any) -> str:
        LOG.info("Loading image %s from Glance", image_id)
        with timeutils.StopWatch() as watch, tempfile.TemporaryFile(dir=self._spool_directory) as file:
            self.download(context, image_id, file, trusted_certs)
            loaded = self.load(file, image_id, reference)
        LOG.info("Loaded image %s as %s in %.1f s", image_id, loaded, watch.elapsed())
        return loaded

    def load(self, file: IO[bytes], image_id: str, reference: str) -> str:
        """Load an archive of one image into the daemon, name it *reference*, and return its Docker ID.

        :param image_id: where it comes from in Glance.
        :raises nova.exception.ImageUnacceptable: it is not one Docker image for this host.
        """
        architecture = self._daemon.architecture
        try:
            with hypervisor.explained(f"cannot load the image {image_id}"):
                content = archive.filtered(file, reference, architecture)
                said = _read_progress(self._daemon.image_api.load_image(content))
        except archive.BadArchive as error:
            raise exception.ImageUnacceptable(image_id=image_id, reason=str(error)) from error
        loaded = self._find(reference)
        if not loaded:
            raise exception.ImageUnacceptable(image_id=image_id, reason=f"the Docker daemon says: {said.strip()}")
        self._check_architecture(loaded, image_id, reference, architecture)
        with hypervisor.explained(f"cannot tag the image {image_id}"):
            self._daemon.api.tag(loaded, *reference.rsplit(":", 1))  # the load does not note the time
        return loaded

    def _check_architecture(self, loaded: str, image_id: str, reference: str, architecture: str) -> None:
        with hypervisor.explained(f"cannot inspect the image {image_id}"):
            found = self._daemon.api.inspect_image(loaded)["Architecture"]
        if found not in ("", architecture, *_ALSO_RUN_BY.get(architecture, ())):
            with hypervisor.explained(f"cannot remove the image {image_id}"):
                self._daemon.api.remove_image(reference)
            raise exception.ImageUnacceptable(
                image_id=image_id, reason=f"it is for {found}, and this host runs {architecture}"
            )

    def download(self, context: Any, image_id: str, file: IO[bytes], trusted_certs: Any = None) -> None:
        """Write an image's data to *file*, checked against Glance's checksum and, where Nova does that, its signature.

        Through a file, so that nothing reaches the daemon which was not seen whole. The stream that Nova's API can
        return instead is closed by Nova 28 before its caller sees it.
        """
        try:
            self._glance.download(context, image_id, data=file, trusted_certs=trusted_certs)
        except OSError as error:
            if error.errno == errno.EPIPE:  # glanceclient's code for a wrong checksum
                raise exception.ImageUnacceptable(image_id=image_id, reason=str(error)) from error
            raise
        file.seek(0)

    def cache(self, context: Any, image_id: str) -> bool:
        """Load an image ahead of its first instance; return whether it was missing.

        :raises: as :meth:`ensure`.
        """
        image_meta = objects.ImageMeta.from_dict(self._glance.get(context, image_id))
        if self._find(_reference(image_meta)):
            return False
        self.ensure(context, image_meta)
        return True

    def file(self, docker_id: str, path: str, read: Callable[[str], bytes | None]) -> bytes | None:
        """Return a file of an image; None when the image does not have it.

        :param read: reads it from a new container of that image; called only while it is not known.
        """
        key = docker_id, path  # the ID is a digest of the contents
        with contextlib.suppress(KeyError):  # not asked for first: another thread may clear it between
            return self._files[key]
        content = read(path)
        if len(content or b"") <= _LARGEST_KEPT:
            if len(self._files) >= _MOST_KEPT:
                self._files.clear()
            self._files[key] = content
        return content

    def _references(self) -> dict[str, str]:
        """Return reference -> Docker ID of the images that came from Glance."""
        with hypervisor.explained("cannot list images"):
            images = self._daemon.api.images(filters={"reference": f"{_REPOSITORY}*"})
        return {tag: image["Id"] for image in images for tag in image["RepoTags"] or [] if tag.startswith(_REPOSITORY)}

    def remove_unused(self, used: Collection[str], minimum_age: int) -> None:
        """Remove images whose Glance id is not in *used* and which came longer than *minimum_age* seconds ago."""
        for reference, docker_id in self._references().items():
            image_id = _glance_id(reference)
            with lockutils.lock(f"docker-image-{image_id}"), contextlib.suppress(docker.errors.ImageNotFound):
                tagged = self._daemon.api.inspect_image(docker_id).get("Metadata", {}).get("LastTagTime", "")
                if image_id in used or not _older(tagged, minimum_age):
                    continue
                self._remove(reference)

    def _remove(self, reference: str) -> None:
        try:
            self._daemon.api.remove_image(reference)
            LOG.info("Removed image %s, which no instance uses", reference)
        except docker.errors.APIError as error:
            LOG.warning("Cannot remove image %s: %s", reference, error.explanation)

    def bound(self, used: Collection[str], most_mb: int) -> None:
        """Remove images whose Glance id is not in *used*, the one that came first before the others, until those that
        are left have no more than *most_mb* MiB; their common layers count for each."""
        unused = []
        for reference, docker_id in self._references().items():
            if _glance_id(reference) not in used:
                with contextlib.suppress(docker.errors.ImageNotFound):
                    found = self._daemon.api.inspect_image(docker_id)
                    unused.append((found.get("Metadata", {}).get("LastTagTime", ""), reference, found["Size"]))
        total = sum(size for _, _, size in unused)
        for _, reference, size in sorted(unused):
            if total <= most_mb << 20:
                return
            with lockutils.lock(f"docker-image-{_glance_id(reference)}"):
                self._remove(reference)
            total -= size

    def upload(self, context: Any, docker_id: str, image_id: str, properties: dict[str, Any]) -> None:
        """Store a Docker image of this host as the contents of the Glance image *image_id*."""
        metadata = {"container_format": "docker", "disk_format": "raw", "properties": properties}
        self.write(context, image_id, self.saved(docker_id), metadata)

    def saved(self, docker_id: str) -> Iterator[bytes]:
        """Return a Docker image of this host as ``docker save`` writes it."""
        with hypervisor.explained(f"cannot save the image {docker_id}"):
            yield from self._daemon.image_api.get_image(docker_id, _CHUNK)

    def create(self, context: Any, image_id: str, name: str) -> None:
        """Make a private Glance image without contents, for a file of any kind."""
        metadata = {"id": image_id, "name": name, "is_public": False, "container_format": "bare", "disk_format": "raw"}
        self._glance.create(context, metadata)

    def write(
        self, context: Any, image_id: str, chunks: Iterable[bytes], metadata: dict[str, Any] | None = None
    ) -> None:
        """Give a Glance image its contents."""
        content = io.BufferedReader(_ChunkReader(chunks), _CHUNK)
        self._glance.update(context, image_id, metadata or {}, data=content)

    def delete(self, context: Any, image_id: str) -> None:
        """Remove an image from Glance.

        :raises nova.exception.ImageNotFound: Glance does not have it, or not for this user.
        """
        self._glance.delete(context, image_id)


def _reference(image_meta: Any) -> str:
    """Return the name by which an image is found again.

    :raises nova.exception.ImageUnacceptable: it cannot be one of Docker.
    """
    if not image_meta.obj_attr_is_set("id"):
        raise exception.ImageUnacceptable(image_id="-", reason="no container boots from a volume: use an image")
    container_format = image_meta.container_format if image_meta.obj_attr_is_set("container_format") else None
    if container_format != "docker":
        raise exception.ImageUnacceptable(
            image_id=image_meta.id,
            reason=f"container_format is {container_format}: upload what docker save writes, or an OCI archive, as "
            "format docker",
        )
    checksum = image_meta.checksum if image_meta.obj_attr_is_set("checksum") else None
    return f"{_REPOSITORY}{image_meta.id}:{checksum if checksum and _CHECKSUM.match(checksum) else 'latest'}"


def _glance_id(reference: str) -> str:
    return reference[len(_REPOSITORY) :].rpartition(":")[0]


class _ChunkReader(io.RawIOBase):
    """A readable file over an iterator of bytes."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self._rest = iter(chunks), memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def _read_progress(messages: Iterable[dict[str, Any]]) -> str:
    """Return the text of ``docker load``'s progress; an error in it comes with HTTP status 200."""
    text = []
    for message in messages:
        if "errorDetail" in message or "error" in message:
            raise archive.BadArchive(message.get("error") or message["errorDetail"].get("message", "load failed"))
        text.append(message.get("stream", ""))
    return "".join(text)


def _older(timestamp: str, seconds: int) -> bool:
    try:
        then = timeutils.normalize_time(timeutils.parse_isotime(re.sub(r"\.\d+", "", timestamp)))
    except ValueError:
        return False
    return timeutils.is_older_than(then, seconds)

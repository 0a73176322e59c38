# SPDX-License-Identifier: Apache-2.0
"""A Glance image API in this process, for Nova's own client: as much of it as one image's life takes."""

from __future__ import annotations

import hashlib
import http.server
import json
import uuid
from typing import Any, Callable, Iterator, Union

import fixtures
from nova import objects

from tests import http_server

# What Glance itself knows of an image; everything else in a record is a property that the image's owner has set.
_RECORD = {
    "name": "node",
    "status": "active",
    "visibility": "public",
    "container_format": "docker",
    "disk_format": "raw",
    "min_ram": 0,
    "min_disk": 0,
}
_COMPUTED = ("id", "checksum", "os_hash_algo", "os_hash_value")
Content = Union[bytes, Callable[[], Iterator[bytes]]]


class GlanceServer(fixtures.Fixture):
    """Serves ``images`` (id -> record of API v2) with their ``contents`` (id -> :data:`Content`).

    ``downloads`` has the ids whose data was fetched, in order; with ``refuses_data`` it takes no more contents.
    """

    def __init__(self) -> None:
        self.images: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, Content] = {}
        self.downloads: list[str] = []
        self.refuses_data = False

    def _setUp(self) -> None:
        self.url = self.useFixture(http_server.HttpServer(type("Handler", (_Handler,), {"glance": self}))).url

    def add(self, content: Content, image_id: str | None = None, **attributes: Any) -> objects.ImageMeta:
        """Add an image; its checksum is the content's, or given, or a made up one for content that is not known yet."""
        image_id = image_id or str(uuid.uuid4())
        known = content if isinstance(content, bytes) else image_id.encode()
        self.contents[image_id] = content
        self.images[image_id] = {
            **_RECORD,
            "id": image_id,
            "checksum": hashlib.md5(known).hexdigest(),
            "os_hash_algo": "sha512",
            "os_hash_value": hashlib.sha512(content).hexdigest() if isinstance(content, bytes) else None,
            **attributes,
        }
        return self.meta(image_id)

    def create(self, **attributes: Any) -> str:
        """Add an image that has no content yet and return its id."""
        return self.add(b"", attributes.pop("id", None), **attributes).id

    def meta(self, image_id: str) -> objects.ImageMeta:
        """Return an image's record as Nova hands it to a driver."""
        return objects.ImageMeta.from_dict({**self.images[image_id], "properties": {}})


class _Handler(http.server.BaseHTTPRequestHandler):
    glance: GlanceServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args: Any) -> None:
        """Not to the test's output."""

    def _answer(self, status: int, body: Any = None) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if data:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _image_id(self) -> str | None:
        """Return the id of the image that the path names, after answering 404 when there is none."""
        image_id = self.path.split("/")[3]
        if image_id in self.glance.images:
            return image_id
        self._answer(404)
        return None

    def do_GET(self) -> None:
        if self.path == "/v2/schemas/image":
            base: dict[str, Any] = {name: {} for name in (*_RECORD, *_COMPUTED)}
            self._answer(200, {"name": "image", "properties": base, "additionalProperties": True})
        elif image_id := self._image_id():
            if not self.path.endswith("/file"):
                # A content that is not known beforehand has no hash to check.
                record = self.glance.images[image_id]
                self._answer(
                    200, record if record["os_hash_value"] else {**record, "os_hash_value": None, "checksum": None}
                )
            else:
                self._stream(image_id)

    def _stream(self, image_id: str) -> None:
        self.glance.downloads.append(image_id)
        content = self.glance.contents[image_id]
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in [content] if isinstance(content, bytes) else content():
            if chunk:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")

    def do_POST(self) -> None:
        record = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(201, self.glance.images[self.glance.create(**record)])

    def do_DELETE(self) -> None:
        if not self.headers.get("X-Auth-Token"):
            self._answer(401)
        elif image_id := self._image_id():
            del self.glance.images[image_id], self.glance.contents[image_id]
            self._answer(204)

    def do_PATCH(self) -> None:
        if image_id := self._image_id():
            for change in json.loads(self.rfile.read(int(self.headers["Content-Length"]))):
                self.glance.images[image_id][change["path"].strip("/")] = change["value"]
            self._answer(200, self.glance.images[image_id])

    def do_PUT(self) -> None:
        if image_id := self._image_id():
            data = b"".join(iter(self._chunk, b""))
            if self.glance.refuses_data:
                return self._answer(413)
            self.glance.contents[image_id] = data
            self.glance.images[image_id]["checksum"] = hashlib.md5(data).hexdigest()
            self.glance.images[image_id]["os_hash_value"] = hashlib.sha512(data).hexdigest()
            self._answer(204)

    def _chunk(self) -> bytes:
        data = self.rfile.read(int(self.rfile.readline(), 16))
        self.rfile.readline()
        return data

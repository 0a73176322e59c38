# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import testtools

from sahara_docker.nova import image


class FileTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.contents: dict[str, bytes | None] = {"/small": b"x", "/large": b"x" * (1 << 17), "/missing": None}
        self.asked: list[str] = []
        self.store = image.ImageStore(None, "")  # type: ignore[arg-type]

    def read(self, path: str) -> bytes | None:
        self.asked.append(path)
        return self.contents[path]

    def file(self, docker_id: str, path: str) -> bytes | None:
        return self.store.file(docker_id, path, self.read)

    def test_is_read_once_of_each_image_also_when_it_is_missing(self) -> None:
        for path in ("/small", "/missing"):
            for docker_id in ("a", "b", "a", "b"):
                self.assertEqual(self.contents[path], self.file(docker_id, path))
        self.assertEqual(["/small", "/small", "/missing", "/missing"], self.asked)

    def test_large_one_takes_no_memory(self) -> None:
        for _ in range(2):
            self.assertEqual(self.contents["/large"], self.file("a", "/large"))
        self.assertEqual(["/large", "/large"], self.asked)

    def test_of_many_images_some_are_read_again(self) -> None:
        for number in range(1000):
            self.file(str(number), "/small")
        self.file("0", "/small")
        self.assertEqual(1001, len(self.asked))

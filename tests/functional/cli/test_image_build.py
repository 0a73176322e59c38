# SPDX-License-Identifier: Apache-2.0
"""``image build`` from a tar of Debian and packages that are called as Cloudera's, and what it says when it cannot."""

from __future__ import annotations

import base64
import contextlib
import functools
import http.server
import io
import os
import re
import shutil
import subprocess
import urllib.parse
import uuid
from pathlib import Path
from typing import ClassVar

import docker
import fixtures
import testtools
from testtools import matchers

from lab import settings
from sahara_docker.cli import main
from sahara_docker.cli.image import base, software
from tests import http_server
from tests.functional.cli import builds, debs
from tests.functional.nova.environment import docker_host

_SECRET = "sesame-4711"


class _Repository(http.server.SimpleHTTPRequestHandler):
    """A directory that only who knows the password may read, for a client that takes this server for its proxy."""

    def do_GET(self) -> None:
        words = base64.b64encode(f"cloudera:{_SECRET}".encode()).decode()
        if self.headers["Authorization"] != f"Basic {words}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic realm=packages")
            self.end_headers()
            return
        self.path = urllib.parse.urlsplit(self.path).path
        super().do_GET()

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the tests' output readable."""


class ImageBuildTest(testtools.TestCase):
    base: ClassVar[str]
    packages: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        place = fixtures.TempDir()
        place.setUp()
        cls.addClassCleanup(place.cleanUp)
        cls.packages = Path(place.path)
        debs.make(cls.packages)
        debs.index(cls.packages)
        archives = settings.Lab(settings.default_state()).node_image.glob("base-*.tar")
        cls.base = str(max(archives, key=os.path.getmtime))

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(builds.Turn())
        self.docker = docker.DockerClient(base_url=docker_host(), version="auto", timeout=300)
        self.addCleanup(self.docker.close)
        self.name = f"image-build-test:{uuid.uuid4().hex[:8]}"
        self.useFixture(fixtures.EnvironmentVariable("SAHARA_DOCKER_IMAGE_PASSWORD", "let-me-in"))
        self.before = self.names()
        self.addCleanup(self.remove_new_images)

    def names(self) -> set[str]:
        return {tag for image in self.docker.images.list() for tag in image.tags}

    def remove_new_images(self) -> None:
        for name in self.names() - self.before:
            if name.startswith(("image-build-test:", software.REPOSITORY, base.REPOSITORY)):
                self.docker.images.remove(name, force=True)

    def run_command(self, *words: str, name: str = "") -> tuple[int, str, str]:
        output, errors = io.StringIO(), io.StringIO()
        words = ("image", "build", name or self.name, "--docker", docker_host(), *words)
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            code = main.main(words)
        return code, output.getvalue(), errors.getvalue()

    def assert_built(self, *words: str, name: str = "") -> str:
        code, output, errors = self.run_command(*words, name=name)
        self.assertNotIn("fail ", output, f"{code} {output} {errors}")
        self.assertIn(code, (0, 1), f"{code} {output} {errors}")
        return output

    def assert_refused(self, *words: str) -> str:
        before = {one.id for one in self.docker.containers.list(all=True)}
        code, _, errors = self.run_command(*words)
        self.assertEqual(main.FAILED, code, errors)
        self.assertNotIn(self.name, self.names())
        built = {one.id for one in self.docker.containers.list(all=True)} - before
        self.assertEqual([], [one for one in built if self.is_of_a_build(one)])
        return errors

    def is_of_a_build(self, identifier: str) -> bool:
        try:
            return self.docker.containers.get(identifier).name.startswith("sahara-docker-build-")
        except docker.errors.NotFound:
            return False

    def test_packages_as_files_make_a_node_that_passes_its_check(self) -> None:
        overlay = Path(self.useFixture(fixtures.TempDir()).path)
        (overlay / "var" / "lib" / "oozie").mkdir(parents=True)
        (overlay / "var" / "lib" / "oozie" / "ext-2.2.zip").write_bytes(b"x" * 1000)
        words = ["--base", self.base, "--packages", str(self.packages), "--overlay", str(overlay), "--network", "none"]
        output = self.assert_built(*words)
        for trial in ("image.login", "image.software", "image.services", "image.ports", "image.identity"):
            self.assertThat(output, matchers.Contains(f"ok    {trial} "))
        laid = "/var/lib/oozie/ext-2.2.zip"
        found = self.docker.containers.run(self.name, [laid], entrypoint=["wc", "-c"], remove=True)
        self.assertEqual(f"1000 {laid}\n".encode(), found)

        # Another password is another last step, and no second installation.
        (installed,) = (name for name in self.names() - self.before if name.startswith(software.REPOSITORY))
        created = self.docker.images.get(installed).attrs["Created"]
        first = self.docker.images.get(self.name).id
        self.useFixture(fixtures.EnvironmentVariable("SAHARA_DOCKER_IMAGE_PASSWORD", "let-us-in"))
        self.assertIn("ok    image.login ", self.assert_built(*words))
        self.assertEqual(created, self.docker.images.get(installed).attrs["Created"])
        self.assertNotEqual(first, self.docker.images.get(self.name).id)

    def test_repository_behind_a_password_and_a_proxy_leaves_neither_in_the_image(self) -> None:
        server = self.useFixture(http_server.HttpServer(functools.partial(_Repository, directory=str(self.packages))))
        self.useFixture(fixtures.EnvironmentVariable("http_proxy", server.url))
        alone = self.derived("RUN rm -rf /etc/apt/sources.list /etc/apt/sources.list.d")
        line = f"deb [trusted=yes] http://cloudera:{_SECRET}@packages.invalid/ ./"
        output = self.assert_built("--base", alone, "--repository", line, "--network", "host")
        self.assertIn("ok    image.software ", output)
        saved = b"".join(self.docker.images.get(self.name).save(named=True))
        self.assertNotIn(_SECRET.encode(), saved)
        self.assertNotIn(server.url.encode(), saved)
        self.assertNotIn(b"packages.invalid", saved)

    def test_packages_that_nobody_has_are_all_named(self) -> None:
        place = Path(self.useFixture(fixtures.TempDir()).path)
        for name in ("hue", "hbase"):
            shutil.copy(self.packages / f"{name}_5.13.0_all.deb", place)
        others = software.names(["kafka", "oozie", "hue", "hbase"], [])
        without = [word for name in others for word in ("--without", name)]
        errors = self.assert_refused("--base", self.base, "--packages", str(place), "--network", "none", *without)
        expected = ".*neither in the repositories nor.*: oozie kafka; .*--without"
        self.assertThat(errors, matchers.MatchesRegex(expected, re.DOTALL))

    def test_package_that_cannot_be_installed_is_shown_with_its_words(self) -> None:
        place = Path(self.useFixture(fixtures.TempDir()).path)
        root = place / "work"
        (root / "DEBIAN").mkdir(parents=True)
        (root / "DEBIAN" / "control").write_text(
            "Package: hue\nVersion: 6\nArchitecture: all\nMaintainer: n <n@example.org>\nDescription: fails\n"
        )
        (root / "DEBIAN" / "postinst").write_text("#!/bin/sh\necho the disk is on fire\nexit 7\n")
        (root / "DEBIAN" / "postinst").chmod(0o755)
        subprocess.run(["dpkg-deb", "-b", root, place / "hue_5.13.0_all.deb"], check=True, capture_output=True)
        others = (word for name in software.names(["hue"], []) for word in ("--without", name))
        errors = self.assert_refused("--base", self.base, "--packages", str(place), "--network", "none", *others)
        self.assertIn("the disk is on fire", errors)
        self.assertEqual(set(), {name for name in self.names() - self.before if name.startswith(software.REPOSITORY)})

    def test_base_without_tini_and_with_an_old_sshd(self) -> None:
        old = self.derived("RUN rm $(command -v tini); sed -i /^Include/d /etc/ssh/sshd_config")
        overlay = Path(self.useFixture(fixtures.TempDir()).path)
        (overlay / "laid-over").write_text("")
        code, output, _ = self.run_command("--base", old, "--installed", "--overlay", str(overlay))
        self.assertIn("overlay: ", output)
        self.docker.containers.run(self.name, ["/laid-over"], entrypoint=["ls"], remove=True)
        self.assertEqual(2, code, output)  # there is nothing of Cloudera on it
        for trial in ("image.start", "image.login", "image.init", "image.stop"):
            self.assertThat(output, matchers.Contains(f"ok    {trial} "))

    def derived(self, line: str) -> str:
        """Name of an image that a Dockerfile's line makes of the base."""
        imported, name = (f"image-build-test:{uuid.uuid4().hex[:8]}" for _ in range(2))
        self.docker.api.import_image_from_file(self.base, *imported.split(":"))
        recipe = io.BytesIO(f"FROM {imported}\n{line}\n".encode())
        self.docker.images.build(fileobj=recipe, tag=name, network_mode="none", forcerm=True)
        return name

    def test_what_docker_save_wrote_is_a_base(self) -> None:
        place = Path(self.useFixture(fixtures.TempDir()).path)
        name = self.derived("ENV KEPT=yes")
        with (place / "base.tar").open("wb") as stream:
            stream.writelines(self.docker.images.get(name).save(named=True))
        self.docker.images.remove(name, force=True)
        self.run_command("--base", str(place / "base.tar"), "--installed")
        self.assertIn("KEPT=yes", self.docker.images.get(self.name).attrs["Config"]["Env"])

    def test_mistakes_are_named_before_anything_is_done(self) -> None:
        text = Path(self.useFixture(fixtures.TempDir()).path, "no.tar")
        text.write_text("not a tar")
        expected = {
            ("--base", "/no/such/base.tar", "--installed"): "/no/such/base.tar.*there is no such file",
            ("--base", str(text), "--installed"): "this is no tar",
            ("--base", "debootstrap:", "--installed"): "no suite",
            ("--base", f"127.0.0.1:9/nobody/has:{uuid.uuid4().hex}", "--installed"): "neither in the daemon nor",
            ("--base", self.base): "nothing says where Cloudera's packages are",
            ("--base", self.base, "--installed", "--key", "k"): "with --installed nothing is installed: --key",
            ("--base", self.base, "--packages", "/no/such"): "nothing to install is there",
            ("--base", self.base, "--repository", "http://x/"): "no repository of packages",
            ("--base", self.base, "--repository", "/no/such.list"): "/no/such.list.*cannot be read: No such file",
            ("--base", self.base, "--packages", "/", "--without", "huey"): "no packages that would be.*: huey",
        }
        for words, message in expected.items():
            self.assertThat(self.assert_refused(*words), matchers.MatchesRegex(f".*{message}", re.DOTALL), str(words))
        self.useFixture(fixtures.EnvironmentVariable("SAHARA_DOCKER_IMAGE_PASSWORD"))
        self.assertIn("the login user needs a password", self.assert_refused("--base", self.base, "--installed"))

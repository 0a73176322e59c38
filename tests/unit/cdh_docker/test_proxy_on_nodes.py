# SPDX-License-Identifier: Apache-2.0
"""The proxy's scripts, run by this machine's own shell below a directory."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import fixtures
import testtools

from sahara_docker.plugins.cdh_docker import proxy_on_nodes

FILES = {"environment": 0o644, "default/cloudera-scm-agent": 0o640, "default/cloudera-scm-server": 0o600}
OWN = "OWN=1\n"
# Tells of everything below the directory for temporary files that others than its owner can reach.
SPY = """#!/bin/sh
find "$TMPDIR" -mindepth 1 -maxdepth 1 -perm /077 >>"$SEEN"
exec /usr/bin/cmp "$@"
"""


class ProxyOnNodesTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.root = Path(self.useFixture(fixtures.TempDir()).path)
        for name in ("etc/default", "tmp", "bin"):
            (self.root / name).mkdir(parents=True)
        for name, mode in FILES.items():
            path = self.root / "etc" / name
            path.write_text(OWN)
            path.chmod(mode)
        spy = self.root / "bin/cmp"
        spy.write_text(SPY)
        spy.chmod(0o755)
        self.seen = self.root / "seen"
        self.seen.touch()

    def run_script(self, script, *arguments):
        places = {"TMPDIR": str(self.root / "tmp"), "SEEN": str(self.seen), "PATH": f"{spy_path(self)}"}
        command = ["sh", "-c", script.replace("/etc/", f"{self.root}/etc/"), "test", *arguments]
        subprocess.run(command, check=True, env={**os.environ, **places}, timeout=30)
        self.assertEqual([], list((self.root / "tmp").iterdir()))
        self.assertEqual("", self.seen.read_text())

    def bring(self, url, secret):
        values = self.root / "values"
        values.write_text(f'http_proxy="{url}"\n')
        self.run_script(proxy_on_nodes._APPLY, str(values), secret)

    def check(self, url, modes):
        for name, mode in modes.items():
            path = self.root / "etc" / name
            self.assertEqual(oct(mode), oct(path.stat().st_mode & 0o777), name)
            self.assertEqual(bool(url), f'http_proxy="{url}"' in path.read_text(), name)
            self.assertIn(OWN, path.read_text())

    def test_files_with_a_password_are_root_s_until_it_is_gone(self):
        for _ in range(2):
            self.bring("http://u:s3cret@proxy", "yes")
            self.check("http://u:s3cret@proxy", dict.fromkeys(FILES, 0o600))
        self.run_script(proxy_on_nodes._REMOVE)
        self.check("", FILES)
        for name in FILES:
            self.assertEqual(OWN, (self.root / "etc" / name).read_text())

    def test_a_plain_proxy_in_its_place_gives_the_files_back_to_their_readers(self):
        self.bring("http://u:s3cret@proxy", "yes")
        self.bring("http://proxy", "no")
        self.check("http://proxy", FILES)
        for name in FILES:
            self.assertNotIn("s3cret", (self.root / "etc" / name).read_text())


def spy_path(test):
    return f"{test.root / 'bin'}:{os.environ['PATH']}"

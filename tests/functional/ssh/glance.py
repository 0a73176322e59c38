# SPDX-License-Identifier: Apache-2.0
"""A real Glance API that believes the roles that its callers claim, in place of Keystone's word."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import fixtures
from keystoneauth1 import token_endpoint

from sahara_docker.ssh import image_password

# The rules that docs/security.md gives.
PROTECTIONS = Path(__file__).parents[3] / "docs" / "property-protections.conf"
_PASTE = """
[composite:glance-api]
paste.composite_factory = glance.api:root_app_factory
/: apiversions
/v2: api
[pipeline:api]
pipeline = claims apiv2app
[app:apiversions]
paste.app_factory = glance.api.versions:create_resource
[app:apiv2app]
paste.app_factory = glance.api.v2.router:API.factory
[filter:claims]
paste.filter_factory = glance.tests.utils:FakeAuthMiddleware.factory
"""
_CONFIG = """
[DEFAULT]
bind_host = 127.0.0.1
bind_port = {port}
workers = 0
enabled_backends = files:file
{protections}
[glance_store]
default_backend = files
[files]
filesystem_store_datadir = {home}/images
[os_glance_staging_store]
filesystem_store_datadir = {home}/staging
[os_glance_tasks_store]
filesystem_store_datadir = {home}/tasks
[database]
connection = sqlite:///{home}/glance.sqlite
[oslo_policy]
# A token of Keystone's for a member has the role of a reader as well; these claims have one role.
enforce_new_defaults = false
enforce_scope = false
[paste_deploy]
config_file = {home}/paste.ini
"""


class Glance(fixtures.Fixture):
    """Glance on a free port.

    :param protected: whether the property is protected as docs/security.md says.
    """

    def __init__(self, protected: bool) -> None:
        super().__init__()
        self._protected = protected

    def _setUp(self) -> None:
        home = self.useFixture(fixtures.TempDir()).path
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        protections = f"property_protection_file = {PROTECTIONS}\nproperty_protection_rule_format = roles"
        config = _CONFIG.format(port=port, home=home, protections=protections if self._protected else "")
        Path(home, "glance.conf").write_text(config)
        Path(home, "paste.ini").write_text(_PASTE)
        self.url = f"http://127.0.0.1:{port}"
        tools = Path(sys.executable).parent
        files = ["--config-file", f"{home}/glance.conf"]
        log = open(f"{home}/log", "w")  # noqa: SIM115 - the process writes it
        self.addCleanup(log.close)
        subprocess.run([tools / "glance-manage", *files, "db_sync"], check=True, stdout=log, stderr=log, timeout=120)
        # Glance's test code, which has the claims, writes a log into the current directory.
        process = subprocess.Popen([tools / "glance-api", *files], cwd=home, stdout=log, stderr=log, env=_environment())
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        deadline = time.monotonic() + 60
        while True:
            try:
                self.request("GET", "/v2/images", "admin")
                return
            except OSError as failure:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(Path(home, "log").read_text()[-3000:]) from failure
                time.sleep(0.1)

    def auth(self, role: str, project: str = "tenant") -> token_endpoint.Token:
        """For keystoneauth: somebody with that role."""
        return token_endpoint.Token(self.url, f"somebody:{project}:{role}")

    def image(self, visibility: str, password: str | None) -> str:
        """The id of a new image, registered by an admin."""
        properties = {} if password is None else {image_password.PROPERTY: password}
        body = {"name": "node", "visibility": visibility, "disk_format": "raw", "container_format": "bare"}
        return self.request("POST", "/v2/images", "admin", {**body, **properties})["id"]

    def request(self, method: str, path: str, role: str, body: Any = None) -> Any:
        """Send a request as somebody with that role; the decoded answer."""
        headers = {"X-Auth-Token": f"somebody:tenant:{role}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=20) as answer:
            return json.loads(answer.read() or b"null")


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}

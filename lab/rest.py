# SPDX-License-Identifier: Apache-2.0
"""The few REST calls that the lab makes itself, with nothing but the standard library.

The lab's conductor runs before any Python environment exists, and importing an OpenStack client costs more time than
all of these calls together.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from lab import settings
from sahara_docker import exceptions

#: A proxy of the machine must not come between the lab and its own services.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class RestError(exceptions.SaharaDockerError):
    """An API answered with an error, or did not answer; ``status`` is None when there was no answer."""

    def __init__(self, method: str, url: str, status: int | None, observed: str) -> None:
        self.status = status
        super().__init__(f"{method} failed", where=url, observed=f"{status or 'no answer'} {observed}".strip())


def call(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None, *, timeout: float = 60):
    """Send one request; return ``(headers, content)``, the content decoded when it is JSON.

    :raises RestError: on an HTTP status of 400 and above, and when the server cannot be reached.
    """
    data = body if body is None or isinstance(body, bytes) or hasattr(body, "read") else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers or {}, method=method)  # noqa: S310
    if data is not None and not request.has_header("Content-type"):
        request.add_header("Content-Type", "application/json")
    try:
        with _OPENER.open(request, timeout=timeout) as answer:
            raw = answer.read()
            kind = answer.headers.get("Content-Type", "")
            return answer.headers, json.loads(raw) if raw and "json" in kind else raw
    except urllib.error.HTTPError as error:
        if error.code == 300:  # the version lists of Glance and Heat
            return error.headers, json.loads(error.read())
        raise RestError(method, url, error.code, error.read(2000).decode(errors="replace")) from error
    except (OSError, ValueError) as error:
        raise RestError(method, url, None, str(error)) from error


class Cloud:
    """The lab's OpenStack, as its admin: ``cloud.get("nova", "/flavors/detail")``."""

    def __init__(self, lab: settings.Lab) -> None:
        self._lab = lab
        self._lock = threading.Lock()
        self._token = ""
        self.project_id = ""

    def authenticate(self) -> str:
        """Issue a new token; also the health check of Keystone."""
        user = {"name": "admin", "domain": {"id": "default"}, "password": self._lab.secrets["admin"]}
        scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
        identity = {"methods": ["password"], "password": {"user": user}}
        body = {"auth": {"identity": identity, "scope": scope}}
        headers, content = call("POST", f"{self._lab.url('keystone')}/v3/auth/tokens", body)
        self._token, self.project_id = headers["X-Subject-Token"], content["token"]["project"]["id"]
        return self._token

    def request(self, method: str, service: str, path: str, body: Any = None, headers=None, timeout: float = 60) -> Any:
        with self._lock:
            if not self._token:
                self.authenticate()
        prefix = {
            "keystone": "/v3",
            "glance": "/v2",
            "nova": "/v2.1",
            "neutron": "/v2.0",
            "heat": f"/v1/{self.project_id}",
            "sahara": f"/v1.1/{self.project_id}",
            "placement": "",
            "swift": f"/v1/AUTH_{self.project_id}",
        }[service]
        url = self._lab.url(service) + prefix + path
        sent = {"X-Auth-Token": self._token, "Accept": "application/json", **(headers or {})}
        try:
            return call(method, url, body, sent, timeout=timeout)[1]
        except RestError as error:
            if error.status != 401 or hasattr(body, "read"):
                raise
        # Tokens end after a day, and a lab may be up for longer.
        sent["X-Auth-Token"] = self.authenticate()
        return call(method, url, body, sent, timeout=timeout)[1]

    def get(self, service: str, path: str) -> Any:
        content = self.request("GET", service, path)
        if isinstance(content, str):
            # Sahara's answer, with status 200, for an object that goes between its two looks at it.
            raise RestError("GET", f"{service} {path}", 404, content)
        return content

    def post(self, service: str, path: str, body: Any) -> Any:
        return self.request("POST", service, path, body)


def wait_until(check: Callable[[], object], *, timeout: float, alive: Callable[[], None] = lambda: None) -> None:
    """Call *check* until it neither raises nor returns False, for *timeout* seconds at most.

    *alive* is called before each try and raises when waiting has become pointless.

    :raises TimeoutError: with the last thing that was seen.
    """
    deadline, pause, seen = time.monotonic() + timeout, 0.1, "nothing yet"
    while True:
        alive()
        try:
            if check() is not False:
                return
        except (OSError, exceptions.SaharaDockerError) as error:
            seen = str(error)
        if time.monotonic() > deadline:
            raise TimeoutError(f"not ready after {timeout:.0f} s, last seen: {seen}")
        time.sleep(pause)
        pause = min(pause * 1.3, 1.0)

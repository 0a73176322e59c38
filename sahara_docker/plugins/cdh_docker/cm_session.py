# SPDX-License-Identifier: Apache-2.0
"""HTTP to one Cloudera Manager: authentication, time limits, retries and its own words in errors.

The client that the stock plugin bundles has no socket timeout, repeats every request after a 401 challenge, goes
through the Sahara host's proxy, drops the error's body and turns a broken answer into an AttributeError.
"""

from __future__ import annotations

import logging as standard_logging
import re
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import requests
import requests.auth
from oslo_log import log as logging
from sahara.plugins import context

from sahara_docker import exceptions

LOG = logging.getLogger(__name__)

PORT = 7180
CONNECT_TIMEOUT = 10
READ_TIMEOUT = 60
RETRY_PAUSES = (0.5, 1, 2)
IDEMPOTENT = frozenset({"GET", "PUT", "DELETE"})
LONGEST_MESSAGE = 2000


class CMError(exceptions.SaharaDockerError):
    """Cloudera Manager could not be asked, or refused.

    ``status`` is the HTTP status of its answer, or None when there was none.
    """

    def __init__(self, what: str, *, status: int | None = None, **parts: str) -> None:
        super().__init__(what, **parts)
        self.status = status

    @property
    def passing(self) -> bool:
        """Whether it is the kind of trouble that a restart of Cloudera Manager makes."""
        return self.status is None or self.status >= 500


class _Redaction(standard_logging.Filter):
    """Keeps the query out of urllib3's log of requests, which at DEBUG has the KDC's password in it."""

    def filter(self, record: Any) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                part.partition("?")[0] + "?..." if isinstance(part, str) and "?" in part else part
                for part in record.args
            )
        return True


standard_logging.getLogger("urllib3.connectionpool").addFilter(_Redaction())


def _without(text: str, params: Mapping[str, Any] | None) -> str:
    """Return an error's text without a password that the request had in its query."""
    secret = (params or {}).get("password")
    for form in (secret, secret and urllib.parse.quote_plus(secret), secret and urllib.parse.quote(secret)):
        if form:
            text = text.replace(form, "***")
    return text


def _cause(fault: Exception) -> str:
    """Return the innermost reason of a requests exception.

    Its full text holds the URL with the query, in which the Kerberos call carries a password.
    """
    reason: BaseException = fault
    while True:
        inner = getattr(reason, "reason", None) or next((a for a in reason.args if isinstance(a, BaseException)), None)
        if not isinstance(inner, BaseException):
            break
        reason = inner
    text = str(reason.args[-1]) if reason.args else ""
    text = re.sub(r"^<[^>]*>: ", "", text)
    return f"{type(reason).__name__}: {text}" if text and "?" not in text else type(reason).__name__


def _message(response: requests.Response) -> str:
    """Return what an error answer says: CM's ``message`` and ``causes``, else the page's text."""
    try:
        body = response.json()
        causes = body.get("causes") or []
        text = "; ".join(str(part) for part in [body["message"], *causes])
    except (ValueError, KeyError, AttributeError, TypeError):
        text = " ".join(re.sub(r"<[^>]*>", " ", response.text).split())
    return text[:LONGEST_MESSAGE] or response.reason or "no text"


class CMSession:
    """A kept connection to the REST API of a Cloudera Manager.

    :param host: its address as the Sahara host reaches it.
    :param api_version: the API's version, 8 for all but the Kerberos calls.
    :param read_timeout: seconds that CM may be silent.
    :param retry_pauses: seconds before each retry; empty for none.
    :param sleep: pauses between retries; replaced in tests.
    """

    def __init__(
        self,
        host: str,
        username: str,
        password: str,
        *,
        api_version: int = 8,
        port: int | None = None,
        read_timeout: float = READ_TIMEOUT,
        retry_pauses: Sequence[float] = RETRY_PAUSES,
        sleep: Callable[[float], None] = context.sleep,
    ) -> None:
        port = port or PORT
        self.where = f"Cloudera Manager {host}:{port}"
        self._base = f"http://{host}:{port}/api/v{api_version}"
        self._timeouts = (CONNECT_TIMEOUT, read_timeout)
        self._retry_pauses = (*retry_pauses, None)
        self._sleep = sleep
        self._http = requests.Session()
        # The proxy variables of the Sahara host are for the outside world, not for a cluster's own network.
        self._http.trust_env = False
        # Sent with the first request: CM's 401 challenge would double the number of requests.
        self._http.auth = requests.auth.HTTPBasicAuth(username.encode(), password.encode())

    def request(self, method: str, path: str, *, params: dict[str, Any] | None = None, body: Any = None) -> Any:
        """Return the decoded answer of ``METHOD /api/vN/path``.

        Connection faults and 5xx answers of GET, PUT and DELETE are retried. A POST is retried only while no connection
        came about, since CM may have acted on one whose answer was lost.

        :param body: becomes the JSON body, unless it is None.
        :raises CMError: no answer, an error answer, or one that is not JSON.
        """
        asked = f"{method} {path}"
        for retried, pause in enumerate(self._retry_pauses):
            try:
                response = self._http.request(
                    method, self._base + path, params=params, json=body, timeout=self._timeouts, allow_redirects=False
                )
            except requests.RequestException as fault:
                again = method in IDEMPOTENT or _unsent(fault)
                error = CMError(f"no answer to {asked}", where=self.where, observed=_without(_cause(fault), params))
            else:
                if method == "DELETE" and response.status_code == 404 and retried:
                    return None  # the lost answer was that of a successful deletion
                if response.ok:
                    return self._decode(asked, response)
                again = method in IDEMPOTENT and response.status_code >= 500
                error = CMError(
                    f"{asked} refused",
                    where=self.where,
                    observed=_without(f"HTTP {response.status_code}: {_message(response)}", params),
                    status=response.status_code,
                )
            if pause is None or not again:
                raise error
            LOG.debug("Retrying in %s s: %s", pause, error)
            self._sleep(pause)
        raise AssertionError("unreachable")

    def _decode(self, asked: str, response: requests.Response) -> Any:
        if not response.content:
            return None
        if "json" not in response.headers.get("Content-Type", ""):
            return response.text
        try:
            return response.json()
        except ValueError as fault:
            raise CMError(f"unreadable answer to {asked}", where=self.where, observed=str(fault)) from fault

    def close(self) -> None:
        """Close the kept connection; a later request opens a new one."""
        self._http.close()


def _unsent(fault: Exception) -> bool:
    """Tell whether *fault* happened before a connection existed."""
    if isinstance(fault, requests.exceptions.ConnectTimeout):
        return True
    return "NewConnectionError" in type(getattr(fault.args[0] if fault.args else None, "reason", None)).__name__

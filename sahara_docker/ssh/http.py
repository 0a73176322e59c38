# SPDX-License-Identifier: Apache-2.0
"""HTTP sessions to a node's services (Oozie and the like).

The Sahara host's ``http_proxy`` knows nothing of the clusters' networks, so the environment is ignored. Requests have a
time limit even where the caller forgets one: Sahara's Oozie client does.
"""

from __future__ import annotations

from typing import Any, Callable

import requests
from requests import adapters
from urllib3 import connection as urllib3_connection
from urllib3 import connectionpool

from sahara_docker.ssh import dial

CONNECT_TIMEOUT = 10.0


class NodeSession(requests.Session):
    """A ``requests`` session for one service of one node.

    :param read_timeout: seconds without a byte before a request fails.
    :param dialler: opens a byte stream to the service; a plain TCP connection when left out.
    """

    def __init__(self, read_timeout: float, dialler: Callable[[], dial.Stream] | None = None) -> None:
        super().__init__()
        self.trust_env = False
        self._timeout = (CONNECT_TIMEOUT, read_timeout)
        if dialler is not None:
            self.mount("http://", _TunnelAdapter(dialler))

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("timeout", self._timeout)
        return super().request(method, url, *args, **kwargs)


class _TunnelAdapter(adapters.HTTPAdapter):
    """Sends requests through streams that *dialler* opens."""

    def __init__(self, dialler: Callable[[], dial.Stream]) -> None:
        self._dialler = dialler
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        dialler = self._dialler

        class TunnelConnection(urllib3_connection.HTTPConnection):
            def _new_conn(self) -> Any:
                self._stream = dialler()
                return self._stream.socket

            def close(self) -> None:
                super().close()
                if (stream := self.__dict__.pop("_stream", None)) is not None:
                    stream.close()

        class TunnelPool(connectionpool.HTTPConnectionPool):
            ConnectionCls = TunnelConnection

        self.poolmanager.pool_classes_by_scheme = {"http": TunnelPool}

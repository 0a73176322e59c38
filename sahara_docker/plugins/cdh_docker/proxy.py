# SPDX-License-Identifier: Apache-2.0
"""Which proxies a cluster uses, and what it reaches without them.

``proxy_on_nodes`` brings them to the nodes, ``proxy_in_jobs`` to Spark's and MapReduce's Java processes.
"""

from __future__ import annotations

import ipaddress
import json
import re
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from oslo_config import cfg
from sahara.plugins import context
from sahara.plugins import utils as plugin_utils

from sahara_docker import conf
from sahara_docker.plugins.cdh_docker import options, user_values

CONF = cfg.CONF
conf.register_sahara_opts(CONF)

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_DIRECT = re.compile(r"[*.]?[A-Za-z0-9][A-Za-z0-9._:/*-]*")
# Everything that a shell, sed or a configuration file could take for more than text stays out of a URL.
_USER_INFO = re.compile(r"[A-Za-z0-9._~%!*+,;=-]*(:[A-Za-z0-9._~%!*+,;=-]*)?")


def _checked_url(name: str, url: str) -> str:
    """Return a proxy's URL without a trailing slash.

    :raises InvalidConfig: when it is not a plain ``http[s]://[user:password@]host[:port]``; the text holds no
        password.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        host, user_info = parts.hostname or "", parts.netloc.rpartition("@")[0]
        if parts.port is not None and not 0 < parts.port < 65536:
            raise ValueError("port out of range")
        plain_host = _HOST.fullmatch(host) or ipaddress.ip_address(host)
    except ValueError:
        plain_host = None
    if (
        not plain_host
        or url != url.strip()
        or not url.isprintable()
        or parts.scheme not in ("http", "https")
        or parts.path not in ("", "/")
        or parts.query
        or parts.fragment
        or not _USER_INFO.fullmatch(user_info)
    ):
        raise user_values.InvalidConfig(
            f"{name} is not the address of a proxy",
            remedy="write http://host:port, special characters of a user's password percent-encoded",
        )
    return url.rstrip("/")


def _direct_hosts(text: str) -> list[str]:
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    for entry in entries:
        if not _DIRECT.fullmatch(entry):
            raise user_values.InvalidConfig(
                "No proxy has an entry that is neither a host, a domain nor a network",
                observed=repr(entry),
                remedy="separate hosts, .domains and networks by commas",
            )
    return entries


@dataclass(frozen=True)
class ProxySettings:
    """What the nodes of a cluster have to know about proxies.

    :param direct: hosts, domains and networks outside the cluster to reach without a proxy.
    :param nodes: addresses and names of the cluster's nodes, which are reached without one as well.
    """

    http: str
    https: str
    direct: tuple[str, ...]
    nodes: tuple[str, ...] = ()

    @property
    def secret(self) -> bool:
        """Whether a password is in them."""
        return any(urllib.parse.urlsplit(url).password for url in (self.http, self.https))

    def variables(self) -> dict[str, str]:
        """Return the environment variables, in both spellings that programs look for."""
        pairs = {
            "http_proxy": self.http,
            "https_proxy": self.https,
            "no_proxy": ",".join(dict.fromkeys(self.direct + self.nodes)),
        }
        return {spelling: value for name, value in pairs.items() if value for spelling in (name, name.upper())}


def settings_of(cluster: Any, instances: Iterable[Any] | None = None) -> ProxySettings | None:
    """Return the proxy settings of a cluster, or None when it needs none.

    The cluster's configs go before sahara.conf. Every node's address, full and short name and the cloud's own services
    are reached directly.

    :param instances: the nodes; those that the cluster has when None.
    :raises InvalidConfig: when a value is not what it should be.
    """
    defaults = CONF.sahara_docker
    http = options.value(cluster, options.HTTP_PROXY) or defaults.http_proxy or ""
    https = options.value(cluster, options.HTTPS_PROXY) or defaults.https_proxy or ""
    direct = _direct_hosts(options.value(cluster, options.NO_PROXY) or defaults.no_proxy or "")
    if not http and not https:
        return None
    direct += ["localhost", "127.0.0.1", *endpoint_hosts(context.current().service_catalog)]
    nodes: list[str] = []
    for instance in plugin_utils.get_instances(cluster) if instances is None else instances:
        nodes += [instance.internal_ip, instance.management_ip, instance.fqdn(), instance.hostname()]
    return ProxySettings(
        http=_checked_url("HTTP proxy", http) if http else "",
        https=_checked_url("HTTPS proxy", https or http),
        direct=tuple(dict.fromkeys(direct)),
        nodes=tuple(dict.fromkeys(name for name in nodes if name)),
    )


def endpoint_hosts(catalog: str | None) -> list[str]:
    """Return the hosts of a service catalog's public and internal endpoints, in order and once each.

    :param catalog: JSON as Sahara keeps it with a request: Keystone's v3 form, or the v2 form that keystonemiddleware
        makes of it.
    """
    hosts = []
    for service in json.loads(catalog or "[]"):
        for endpoint in service.get("endpoints", ()):
            urls = [endpoint.get("publicURL"), endpoint.get("internalURL")]
            if endpoint.get("interface") in ("public", "internal"):
                urls.append(endpoint.get("url"))
            hosts += [urllib.parse.urlsplit(url).hostname for url in urls if url]
    return list(dict.fromkeys(host for host in hosts if host))

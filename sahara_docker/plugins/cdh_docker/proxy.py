# SPDX-License-Identifier: Apache-2.0
"""The proxy environment of a cluster's nodes.

Nothing is touched while no proxy is set. Where values have to go was measured on Debian: ``/etc/environment`` reaches a
plain SSH command and ``su -``, sudo needs ``env_keep``, services read ``/etc/default``, apt and yum have their own
files.
"""

from __future__ import annotations

import ipaddress
import re
import urllib.parse
from dataclasses import dataclass
from typing import Any

from oslo_config import cfg
from sahara.plugins import utils as plugin_utils

from sahara_docker import conf, exceptions
from sahara_docker.plugins.cdh_docker import options, shell

CONF = cfg.CONF
conf.register_sahara_opts(CONF)

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_DIRECT = re.compile(r"[*.]?[A-Za-z0-9][A-Za-z0-9._:/*-]*")
# Everything that a shell, sed or a configuration file could take for more than text stays out of a URL.
_USER_INFO = re.compile(r"[A-Za-z0-9._~%!*+,;=-]*(:[A-Za-z0-9._~%!*+,;=-]*)?")


def _checked_url(name: str, url: str) -> str:
    """Return a proxy's URL without a trailing slash.

    :raises SaharaDockerError: when it is not a plain ``http[s]://[user:password@]host[:port]``; the text holds no
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
        raise exceptions.SaharaDockerError(
            f"{name} is not the address of a proxy",
            remedy="write http://host:port, special characters of a user's password percent-encoded",
        )
    return url.rstrip("/")


def _direct_hosts(text: str) -> list[str]:
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    for entry in entries:
        if not _DIRECT.fullmatch(entry):
            raise exceptions.SaharaDockerError(
                "No proxy has an entry that is neither a host, a domain nor a network",
                observed=repr(entry),
                remedy="separate hosts, .domains and networks by commas",
            )
    return entries


@dataclass(frozen=True)
class ProxySettings:
    """What the nodes of a cluster have to know about proxies."""

    http: str
    https: str
    direct: tuple[str, ...]

    def variables(self) -> dict[str, str]:
        """Return the environment variables, in both spellings that programs look for."""
        pairs = {"http_proxy": self.http, "https_proxy": self.https, "no_proxy": ",".join(self.direct)}
        return {spelling: value for name, value in pairs.items() if value for spelling in (name, name.upper())}


def settings_of(cluster: Any) -> ProxySettings | None:
    """Return the proxy settings of a cluster, or None when it needs none.

    The cluster's configs go before sahara.conf. Every node's address, full and short name is reached directly.

    :raises SaharaDockerError: when a value is not what it should be.
    """
    defaults = CONF.sahara_docker
    http = options.value(cluster, options.HTTP_PROXY) or defaults.http_proxy or ""
    https = options.value(cluster, options.HTTPS_PROXY) or defaults.https_proxy or ""
    if not http and not https:
        return None
    direct = _direct_hosts(options.value(cluster, options.NO_PROXY) or defaults.no_proxy or "")
    direct += ["localhost", "127.0.0.1"]
    for instance in plugin_utils.get_instances(cluster):
        direct += [instance.internal_ip, instance.management_ip, instance.fqdn(), instance.hostname()]
    return ProxySettings(
        http=_checked_url("HTTP proxy", http) if http else "",
        https=_checked_url("HTTPS proxy", https or http),
        direct=tuple(dict.fromkeys(entry for entry in direct if entry)),
    )


_VALUES = "/run/sahara-docker-proxy"
_APPLY = rf"""
set -e
umask 022
values={_VALUES}
new=$(mktemp); trap 'rm -f "$new" "$values"' EXIT
# Replaces our block in a file, in place, since the file may be a bind mount.
put_block() {{
    file=$1
    [ -e "$file" ] || : >"$file"
    sed '/^# sahara-docker proxy: begin$/,/^# sahara-docker proxy: end$/d' "$file" >"$new"
    {{ echo '# sahara-docker proxy: begin'; cat; echo '# sahara-docker proxy: end'; }} >>"$new"
    cmp -s "$new" "$file" || cat "$new" >"$file"
}}
put_block /etc/environment <"$values"
for service in cloudera-scm-agent cloudera-scm-server; do
    sed 's/^/export /' "$values" | put_block "/etc/default/$service"
done
if [ -d /etc/sudoers.d ]; then
    names=$(cut -d= -f1 "$values" | tr '\n' ' ')
    printf 'Defaults env_keep += "%s"\n' "${{names% }}" >"$new"
    chmod 0440 "$new"
    if ! command -v visudo >/dev/null || visudo -cqf "$new"; then
        cp "$new" /etc/sudoers.d/sahara-docker-proxy
        chmod 0440 /etc/sudoers.d/sahara-docker-proxy
    fi
fi
if [ -d /etc/apt/apt.conf.d ]; then
    apt=/etc/apt/apt.conf.d/95sahara-docker-proxy
    sed -n 's/^\(https\{{0,1\}}\)_proxy=\(".*"\)$/Acquire::\1::Proxy \2;/p' "$values" >"$apt"
fi
if [ -f /etc/yum.conf ]; then
    sed -n 's/^http_proxy="\(.*\)"$/proxy=\1/p' "$values" | put_block /etc/yum.conf
fi
"""


def bring_to_node(instance: Any, settings: ProxySettings) -> None:
    """Bring *settings* to a node; harmless when they are there already.

    The values travel in a file, since commands are logged and a proxy's address can hold a password.

    :raises SaharaDockerError: when a file of the node cannot be written.
    """
    content = "".join(f'{name}="{value}"\n' for name, value in settings.variables().items())
    with instance.remote() as remote:
        remote.write_file_to(_VALUES, content, run_as_root=True)
        outcome = shell.run_as_root(remote, _APPLY)
        # sshd gives a login the environment of the moment; a remote that keeps its logins has to log in anew.
        if hasattr(remote, "reconnect"):
            remote.reconnect()
    if outcome.code:
        raise exceptions.SaharaDockerError(
            "cannot bring the proxy settings to the node", where=instance.fqdn(), observed=outcome.last_lines()
        )

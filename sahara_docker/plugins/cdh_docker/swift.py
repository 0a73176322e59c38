# SPDX-License-Identifier: Apache-2.0
"""Hadoop's library for Swift on the nodes.

An image that carries it needs nothing. Otherwise every node fetches it, through the cluster's proxy, before anything
else is done on the cluster, so that an address that does not work costs seconds. Only the nodes are asked: what the
Sahara host can reach says nothing about them, and it must not be made to fetch addresses that a tenant chooses.
"""

from __future__ import annotations

import functools
import re
import urllib.parse
from typing import Any

from sahara.plugins import swift_helper

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import options, parallel, shell, user_values

LIBRARY = "/usr/lib/hadoop-mapreduce/hadoop-openstack.jar"
FETCH_TIMEOUT = 300
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.\[\]:_-]+/[A-Za-z0-9._~/%:@+,=?&-]*")

_BRING = r"""
library=$1 address=$2 limit=$3
[ -s "$library" ] && exit 0
[ -n "$address" ] || { echo "the image has no $library, and no address to fetch it from is set"; exit 1; }
mkdir -p "${library%/*}"
new=$(mktemp "$library.XXXXXX") || exit 1
trap 'rm -f "$new"' EXIT
curl --fail --location --silent --show-error --connect-timeout 20 --max-time "$limit" --output "$new" "$address" ||
    exit 1
[ "$(head -c 2 "$new")" = PK ] || { echo "what is at the address is not a jar file"; exit 1; }
chmod 0644 "$new" && mv "$new" "$library"
"""


def check(cluster: Any) -> None:
    """Check the library's address.

    :raises InvalidConfig: when it is none, or holds a password, which would be on a command line.
    """
    address = _address(cluster, default="")
    if not address or not options.is_swift_enabled(cluster):
        return
    if not _ADDRESS.fullmatch(address) or urllib.parse.urlsplit(address).password is not None:
        raise user_values.InvalidConfig(
            f"{options.SWIFT_LIBRARY} is not an address of a file",
            remedy="write http[s]://host/path without a password, or nothing when the image has the library",
        )


def bring(cluster: Any, instances: list[Any], default: str = "") -> None:
    """Have the library on *instances*, when the cluster uses Swift.

    :param default: the library's address for the cluster's version, when the user has given none.
    :raises SaharaDockerError: naming the nodes that cannot get it, and why.
    """
    if options.is_swift_enabled(cluster):
        address = _address(cluster, default)
        parallel.on_each(instances, "Configure Swift", functools.partial(_bring, address=address))
        swift_helper.install_ssl_certs(instances)


def _bring(instance: Any, address: str) -> None:
    with instance.remote() as remote:
        outcome = shell.run_as_root(
            remote, _BRING, LIBRARY, address, str(FETCH_TIMEOUT), timeout=FETCH_TIMEOUT + shell.SLACK
        )
    if outcome.code:
        raise exceptions.SaharaDockerError(
            "cannot get Hadoop's library for Swift",
            where=instance.fqdn(),
            observed=f"{address or 'no address'}: {outcome.last_lines(3)}",
            remedy=f'set "{options.SWIFT_LIBRARY}" to an address that the nodes reach, the proxy if they need one, '
            "or use an image that has the library",
        )


def _address(cluster: Any, default: str) -> str:
    return options.swift_library_address(cluster, default).strip()

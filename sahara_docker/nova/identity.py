# SPDX-License-Identifier: Apache-2.0
"""Hostname, hosts file and resolver of an instance.

The files belong to the driver and are mounted into the container: Docker rewrites its own ones at every start. They are
mounted writable and the driver writes them once, so what the instance adds later stays for its life time. A file that
is a mount point can be written but not replaced: ``cp`` and ``cat >`` work on it, ``mv`` and ``sed -i`` fail.
"""

from __future__ import annotations

import os
from typing import NamedTuple, Sequence

_LOCAL_NAMES = """\
127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback
ff02::1 ip6-allnodes
ff02::2 ip6-allrouters
"""
_MOST_NAMESERVERS = 3  # MAXNS of glibc's resolv.h: it ignores the rest.


class Hostname(NamedTuple):
    """The two names of an instance: ``short`` (no dots) and ``fqdn``."""

    short: str
    fqdn: str


def hostname(name: str, domain: str) -> Hostname:
    """Return the names of an instance that Nova calls *name*; a name with dots in it brings its own domain."""
    short, dot, _ = name.partition(".")
    return Hostname(short, name if dot or not domain else f"{name}.{domain}")


def hosts(names: Hostname, addresses: Sequence[str]) -> str:
    """Return a hosts file in which the instance knows itself: each of its *addresses* with its FQDN first, then its
    short name.

    An own name that does not resolve makes every ``sudo`` wait for the resolver.
    """
    own = " ".join(dict.fromkeys(names[::-1]))
    # 127.0.1.1 is Debian's place for the name of a machine without an address.
    return _LOCAL_NAMES + "".join(f"{address} {own}\n" for address in addresses or ["127.0.1.1"])


def resolv_conf(nameservers: Sequence[str], domain: str) -> str:
    """Return a resolver configuration that is quick to fail.

    Without a nameserver of Neutron's it names the loopback, where nothing listens and a query is refused at once; the
    host's own nameserver may not be reachable from the instance's network, and each query would wait for it.
    """
    servers = list(dict.fromkeys(nameservers))[:_MOST_NAMESERVERS] or ["127.0.0.1"]
    search = f"search {domain}\n" if domain else ""
    return search + "".join(f"nameserver {server}\n" for server in servers) + "options timeout:1 attempts:1\n"


def write(directory: str, hosts_file: str, resolver: str) -> dict[str, str]:
    """Write the files of an instance below *directory*.

    :returns: path in the instance -> path on the host.
    """
    mounts = {}
    for name, content in (("hosts", hosts_file), ("resolv.conf", resolver)):
        path = os.path.join(directory, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(content)
        os.chmod(path, 0o644)
        mounts[f"/etc/{name}"] = path
    return mounts

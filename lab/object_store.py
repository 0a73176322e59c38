# SPDX-License-Identifier: Apache-2.0
"""The lab's object store, when one is asked for: OpenStack Swift with its S3 API, one copy of everything on one device.

A proxy, which nodes and Sahara talk to, and an account, a container and an object server behind it. What keeps several
copies alike, such as replicators and updaters, has nothing to do here and is not started.
"""

from __future__ import annotations

import functools
import os
import socket
from pathlib import Path

from lab import command, configuration, extra, plan, rest, settings
from lab.service import Service
from sahara_docker import exceptions

#: Which object store a lab shall have; set by ``make demo STORE=swift``.
VARIABLE = "STORE"
SWIFT = "swift"
#: The region that S3 requests are signed for, the one that clients take when they are told none.
S3_REGION = "us-east-1"
BACKENDS = ("account", "container", "object")

#: Swift's half seconds are little on a busy machine, and only an updater makes up for what a server has given up.
_PATIENCE = {"conn_timeout": 10, "node_timeout": 60}
#: Swift's programs write to syslog, and with --verbose also to where the lab keeps logs: the former goes to "discard".
_LOG = {"log_udp_host": "127.0.0.1", "log_udp_port": 9}
#: What a request passes on its way to the proxy's own code, and Swift's name for it where that is another.
_FILTERS = {
    "catch_errors": "", "gatekeeper": "", "healthcheck": "", "proxy-logging": "proxy_logging", "cache": "memcache",
    "authtoken": "", "s3api": "", "s3token": "", "keystoneauth": "", "bulk": "", "copy": "", "slo": "", "dlo": "",
}  # fmt: skip


_EXTRA = extra.Extra(
    VARIABLE,
    SWIFT,
    "object-store",
    f"{VARIABLE} is no object store that the lab has",
    f"give {VARIABLE}={SWIFT}, or none",
)
choose, is_chosen = _EXTRA.choose, _EXTRA.is_chosen


def parts(lab: settings.Lab, cloud: rest.Cloud) -> list[plan.Step | Service]:
    """Write the store's configuration; return what brings it up."""
    _configure(lab)
    return [
        plan.Step("object-store-files", functools.partial(_make_files, lab)),
        _memcached(),
        *(_server(lab, kind) for kind in BACKENDS),
        Service(
            SWIFT,
            _program(lab, "proxy"),
            # By way of a token, the ring and the account server.
            lambda started: cloud.request("GET", SWIFT, "", timeout=10),
            ("identity", "bridges", "memcached", *(f"swift-{kind}" for kind in BACKENDS)),
        ),
    ]


def _memcached() -> Service:
    """Where the proxy keeps the secrets of S3 users: without one it does not take uploads in signed chunks."""
    port = settings.STORE_PORTS["memcached"]
    words = ("--listen=127.0.0.1", f"--port={port}", "--memory-limit=16", "--threads=1", "--user=root")
    return Service("memcached", ("memcached", *words), lambda started: _memcached_answers(port))


def _memcached_answers(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=3) as connection:
        connection.sendall(b"version\r\n")
        return connection.recv(100).startswith(b"VERSION ")


def _server(lab: settings.Lab, kind: str) -> Service:
    url = f"http://127.0.0.1:{settings.STORE_PORTS[f'swift-{kind}']}/healthcheck"
    return Service(
        f"swift-{kind}",
        _program(lab, kind),
        lambda started: rest.call("GET", url, timeout=10),
        ("object-store-files",),
    )


def _program(lab: settings.Lab, kind: str) -> tuple[str, ...]:
    return (str(lab.venv / f"bin/swift-{kind}-server"), str(_etc(lab) / f"{kind}-server.conf"), "--verbose")


def _etc(lab: settings.Lab) -> Path:
    return lab.etc / "swift"


def _devices(lab: settings.Lab) -> Path:
    return lab.data / "swift"


def _make_files(lab: settings.Lab) -> None:
    """Make the device, a directory, and the rings that lead to it.

    :raises SaharaDockerError: the file system cannot keep what Swift knows about an object.
    """
    device = _devices(lab) / "device"
    device.mkdir(parents=True, exist_ok=True)
    try:
        os.setxattr(device, "user.swift.probe", b"probe")
    except OSError as error:
        raise exceptions.SaharaDockerError(
            "the object store needs a file system with extended attributes",
            where=str(device),
            observed=str(error),
            remedy="set LAB_STATE to a directory on ext4, xfs or btrfs",
        ) from error
    words = [lab.venv / "bin/python", "-m", "lab.processes.object_rings", _etc(lab), device.name]
    ports = [settings.STORE_PORTS[f"swift-{kind}"] for kind in BACKENDS]
    command.run(
        [str(word) for word in (*words, *(f"{kind}={port}" for kind, port in zip(BACKENDS, ports, strict=True)))],
        log=lab.log / "object-store-files.log",
        what="making the rings of the object store",
        environment={**os.environ, "PYTHONPATH": str(lab.cache / "path")},
    )


def _configure(lab: settings.Lab) -> None:
    etc = _etc(lab)
    etc.mkdir(parents=True, exist_ok=True)
    # Names of files below the device follow from this: it lasts as long as they do.
    hashes = {"swift-hash": {"swift_hash_path_suffix": lab.secrets["swift"]}}
    configuration.write_sections(etc / "swift.conf", hashes)
    for kind in BACKENDS:
        configuration.write_sections(etc / f"{kind}-server.conf", _backend(lab, kind))
    configuration.write_sections(etc / "proxy-server.conf", _proxy(lab))


def _common(lab: settings.Lab, address: object, port: int) -> dict[str, object]:
    return {
        "bind_ip": address,
        "bind_port": port,
        # The process serves itself; one more would cost as much memory again.
        "workers": 0,
        "user": "root",
        "swift_dir": _etc(lab),
        **_PATIENCE,
        **_LOG,
    }


def _backend(lab: settings.Lab, kind: str) -> configuration.Sections:
    server = f"{kind}-server"
    return {
        "DEFAULT": {
            **_common(lab, "127.0.0.1", settings.STORE_PORTS[f"swift-{kind}"]),
            "devices": _devices(lab),
            "mount_check": False,
            "disable_fallocate": True,
        },
        "pipeline:main": {"pipeline": f"healthcheck {server}"},
        "filter:healthcheck": {"use": "egg:swift#healthcheck"},
        f"app:{server}": {
            "use": f"egg:swift#{kind}",
            # The proxy has a line for each request; these would have three more.
            "log_requests": False,
            **({"container_update_timeout": 60} if kind == "object" else {}),
        },
    }


def _proxy(lab: settings.Lab) -> configuration.Sections:
    keystone = f"{lab.url('keystone')}/v3"
    filters: dict[str, dict[str, object]] = {
        f"filter:{name}": {"use": f"egg:swift#{known_as or name}"} for name, known_as in _FILTERS.items()
    }
    filters["filter:cache"]["memcache_servers"] = f"127.0.0.1:{settings.STORE_PORTS['memcached']}"
    filters["filter:authtoken"] = {
        "paste.filter_factory": "keystonemiddleware.auth_token:filter_factory",
        "www_authenticate_uri": keystone,
        "delay_auth_decision": True,
        "interface": "internal",
        **configuration.credentials(lab, SWIFT),
    }
    filters["filter:s3api"]["location"] = S3_REGION
    filters["filter:s3token"] |= {
        "auth_uri": keystone,
        # An upload in signed chunks is checked with a secret that is in the cache by then: it must not have left it.
        "secret_cache_duration": 86400,
        **configuration.credentials(lab, SWIFT),
    }
    filters["filter:keystoneauth"]["operator_roles"] = "admin, member"
    return {
        "DEFAULT": _common(lab, settings.GATEWAY, settings.STORE_PORTS[SWIFT]),
        "pipeline:main": {"pipeline": " ".join([*_FILTERS, "proxy-server"])},
        "app:proxy-server": {"use": "egg:swift#proxy", "account_autocreate": True, **_PATIENCE},
        **filters,
    }

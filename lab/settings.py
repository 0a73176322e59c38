# SPDX-License-Identifier: Apache-2.0
"""Where the lab keeps things and on which ports it listens: facts only, no action."""

from __future__ import annotations

import dataclasses
import hashlib
import ipaddress
import json
import os
import secrets
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent

#: Ports on loopback, out of the way of a real OpenStack and below Linux's ephemeral range (32768).
PORTS = {
    "mariadb": 23306,
    "rabbitmq": 25673,
    "rabbitmq-cluster": 25674,
    "epmd": 24369,
    "keystone": 25000,
    "placement": 28778,
    "glance": 29292,
    "nova": 28774,
    "neutron": 29696,
    "heat": 28004,
    "sahara": 28386,
}

#: Those of the object store, where the lab has one. All but Swift's proxy, which nodes use, listen on loopback.
STORE_PORTS = {
    "swift": 28080,
    "swift-account": 26202,
    "swift-container": 26201,
    "swift-object": 26200,
    "memcached": 26211,
}

#: That of the dashboard, where the lab has one.
DASHBOARD_PORTS = {"horizon": 20080}

REGION = "RegionOne"
#: The first compute host's bridge, which has the gateway's address; the others' are numbered on.
BRIDGE = "sdlab0"
NETWORK_NAME = "lab"
SUBNET = ipaddress.ip_network("10.222.0.0/24")
#: Address of this machine on the bridge: the one at which nodes reach it.
GATEWAY = next(SUBNET.hosts())

#: Every process of the lab carries this variable, so that what an interrupted run left behind can be told from
#: everything else on the machine.
MARK = "SAHARA_DOCKER_LAB_STATE"

#: Likewise for what a command starts and waits for: installers, Maven, builds.
COMMAND_MARK = "SAHARA_DOCKER_LAB_COMMAND"


@dataclasses.dataclass(frozen=True)
class Lab:
    """One lab: a state directory and what follows from it."""

    state: Path

    @property
    def etc(self) -> Path:
        return self.state / "etc"

    @property
    def log(self) -> Path:
        return self.state / "log"

    @property
    def run(self) -> Path:
        return self.state / "run"

    @property
    def data(self) -> Path:
        """What a running lab writes; emptied by ``make demo-down``."""
        return self.state / "data"

    @property
    def cache(self) -> Path:
        """What is costly to make again and holds nothing of a running lab; survives ``make demo-down``."""
        return self.state / "cache"

    @property
    def venv(self) -> Path:
        return self.cache / "openstack"

    @property
    def node_image(self) -> Path:
        return self.cache / "node-image"

    @property
    def docker_root(self) -> Path:
        """Data root of the lab's own Docker daemon; its images are a cache, its containers go with the lab."""
        return self.cache / "docker"

    @property
    def host(self) -> str:
        """Name of the first compute host: stable, as Nova wants it; of this lab alone, as Docker's labels want it."""
        return f"lab-{hashlib.sha256(os.fsencode(self.state)).hexdigest()[:6]}"

    def url(self, service: str) -> str:
        if service == "swift":
            return f"http://{GATEWAY}:{STORE_PORTS['swift']}"
        return f"http://127.0.0.1:{ {**PORTS, **DASHBOARD_PORTS}[service] }"

    @property
    def secrets(self) -> dict[str, str]:
        """Passwords of this lab's services, made on first use."""
        return _passwords(
            self.data / "secrets.json",
            ("admin", "mariadb", "rabbitmq", "glance", "placement", "nova", "neutron", "heat", "sahara", "swift"),
        )

    @property
    def node_password(self) -> str:
        """Password of the node image's login user; as long-lived as the image that holds it."""
        return _passwords(self.cache / "node-password.json", ("node",))["node"]


def numbered(word: str, number: int) -> str:
    """*word* for the first of several, and with its number behind it for the others."""
    return word if number == 1 else f"{word}-{number}"


def host_name(lab: Lab, number: int) -> str:
    """Name of the compute host with that number."""
    return numbered(lab.host, number)


def bridge(host_name: str) -> str:
    """The bridge of a compute host."""
    first, _, number = host_name.removeprefix("lab-").partition("-")
    return f"sdlab{int(number) - 1}" if first and number else BRIDGE


def _passwords(path: Path, names: tuple[str, ...]) -> dict[str, str]:
    """Passwords for *names*, random when first asked for, kept in a file that only its owner can read."""
    known = json.loads(path.read_text()) if path.exists() else {}
    if not set(names) <= set(known):
        known = {name: known.get(name) or secrets.token_hex(12) for name in names}
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".new")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
            json.dump(known, stream)
        temporary.replace(path)
    return known


def default_state() -> Path:
    """State directory: ``$LAB_STATE``, else ``.lab`` in the checkout."""
    return Path(os.environ.get("LAB_STATE") or CHECKOUT / ".lab").resolve()

# SPDX-License-Identifier: Apache-2.0
"""Neutron's ports and subnets as Nova hands them to a driver."""

from __future__ import annotations

import uuid
from typing import Any

from nova.network import model


def port(bridge: str, *subnets: model.Subnet, mac: str, mtu: int = 1400, **attributes: Any) -> model.VIF:
    """Return a Neutron port as Nova sees it, bound as an agentless Linux bridge."""
    return model.VIF(
        id=str(uuid.uuid4()),
        address=mac,
        network=model.Network(id=str(uuid.uuid4()), label="net", subnets=list(subnets), mtu=mtu),
        **{"type": model.VIF_TYPE_OTHER, "details": {"bridge_name": bridge}, "active": True, **attributes},
    )


def subnet(
    cidr: str, *addresses: str, gateway: str | None = None, dns: tuple[str, ...] = (), routes: Any = ()
) -> model.Subnet:
    """Return a Neutron subnet as Nova sees it."""
    return model.Subnet(
        cidr=cidr,
        gateway=model.IP(gateway, type="gateway") if gateway else None,
        ips=[model.FixedIP(address=address) for address in addresses],
        dns=[model.IP(server, type="dns") for server in dns],
        routes=[model.Route(cidr=net, gateway=model.IP(via)) for net, via in routes],
    )

# SPDX-License-Identifier: Apache-2.0
"""What an operator makes once in a new cloud: the network and the flavors."""

from __future__ import annotations

from lab import rest, settings

#: Memory in MB, vCPUs and disk in GB by name.
FLAVORS = {"cdh.manager": (1536, 1, 10), "cdh.master": (3072, 2, 10), "cdh.worker": (2560, 2, 10)}


def create(cloud: rest.Cloud) -> None:
    """Make the network, its subnet and the flavors where they are missing."""
    networks = cloud.get("neutron", f"/networks?name={settings.NETWORK_NAME}")["networks"]
    if not networks:
        body = {
            "name": settings.NETWORK_NAME,
            "shared": True,
            "provider:network_type": "flat",
            "provider:physical_network": "lab",
        }
        networks = [cloud.post("neutron", "/networks", {"network": body})["network"]]
    if not networks[0]["subnets"]:
        hosts = list(settings.SUBNET.hosts())
        body = {
            "name": settings.NETWORK_NAME,
            "network_id": networks[0]["id"],
            "ip_version": 4,
            "cidr": str(settings.SUBNET),
            "gateway_ip": str(hosts[0]),
            # No DHCP agent: the Docker driver sets the addresses itself.
            "enable_dhcp": False,
            "allocation_pools": [{"start": str(hosts[9]), "end": str(hosts[-5])}],
        }
        cloud.post("neutron", "/subnets", {"subnet": body})
    known = {entry["name"] for entry in cloud.get("nova", "/flavors")["flavors"]}
    for name, (ram, vcpus, disk) in FLAVORS.items():
        if name not in known:
            cloud.post("nova", "/flavors", {"flavor": {"name": name, "ram": ram, "vcpus": vcpus, "disk": disk}})

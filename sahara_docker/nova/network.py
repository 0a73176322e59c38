# SPDX-License-Identifier: Apache-2.0
"""Neutron ports -> interfaces of a guest.

Each port becomes a veth pair: the host's end has the name that Neutron and os-vif expect (``tap...``) and is
connected as the port's binding says; the guest's end is born in the guest's network namespace with Neutron's MAC,
addresses and routes.

=============================  ==============================================================================
binding                        host's end
=============================  ==============================================================================
``ovs`` (ML2/OVS, OVN)         os-vif adds it to the integration bridge
``ovs`` with hybrid plug       os-vif makes ``qbr...``; the end joins it
``bridge`` (Nova 28 to 33)     os-vif makes ``brq...``; the end joins it
``other`` with bridge_name     joins that Linux bridge, which is there already
``tap``                        left alone: the Neutron agent finds it by its name
=============================  ==============================================================================
"""

from __future__ import annotations

import copy
import ipaddress
import socket
from typing import Any, Iterable, Mapping, NamedTuple, Sequence

import os_vif
from nova import exception
from nova.network import model, os_vif_util
from oslo_concurrency import lockutils, processutils
from oslo_log import log as logging

from sahara_docker.nova import guest, privileged

LOG = logging.getLogger(__name__)

_OS_VIF_TYPES = frozenset((model.VIF_TYPE_OVS, model.VIF_TYPE_BRIDGE))
_USERSPACE_DATAPATH = "netdev"
_DEFAULT_ROUTE = {4: "0.0.0.0/0", 6: "::/0"}


class Interface(NamedTuple):
    """What Neutron says about one port, without its binding.

    ``addresses`` are with prefix length, ``routes`` pairs of destination and gateway; ``mtu`` 0 keeps the kernel's
    default.
    """

    vif_id: str
    host_device: str
    mac: str
    mtu: int
    addresses: tuple[str, ...]
    routes: tuple[tuple[str, str], ...]


def interfaces(network_info: Iterable[Any]) -> list[Interface]:
    """Read Nova's network model; of several gateways the first of an IP version gets the default route.

    :param network_info: nova.network.model.NetworkInfo.
    """
    found, with_default = [], set()
    for vif in network_info:
        addresses, routes = [], []
        for subnet in vif["network"]["subnets"]:
            if not subnet["ips"] or not subnet["cidr"]:
                continue
            net = ipaddress.ip_network(subnet["cidr"], strict=False)
            addresses += [f"{ip['address']}/{net.prefixlen}" for ip in subnet["ips"]]
            for route in subnet["routes"] or []:
                if route["gateway"] and route["gateway"]["address"]:
                    routes.append((route["cidr"], route["gateway"]["address"]))
            gateway = (subnet["gateway"] or {}).get("address")
            if gateway and net.version not in with_default:
                with_default.add(net.version)
                routes.append((_DEFAULT_ROUTE[net.version], gateway))
        found.append(
            Interface(
                vif_id=vif["id"],
                host_device=_host_device(vif),
                mac=vif["address"].lower(),
                mtu=int(vif["network"].get_meta("mtu") or 0),
                addresses=tuple(addresses),
                routes=tuple(routes),
            )
        )
    return found


def nameservers(network_info: Iterable[Any]) -> list[str]:
    """Return the DNS servers of the ports' subnets, in order."""
    return [ip["address"] for vif in network_info for subnet in vif["network"]["subnets"] for ip in subnet["dns"] or []]


def plug(instance: Any, network_info: Iterable[Any], namespace: guest.NetworkNamespace) -> None:
    """Make the guest's interfaces, or what is missing of them; can be repeated at any time.

    :raises nova.exception.VirtualInterfacePlugException: whatever went wrong; nothing else, because at the start of
        nova-compute anything else ends the service.
    """
    try:
        vifs = list(network_info)
        with lockutils.lock(f"docker-network-{instance.uuid}"):
            if vifs:
                _plug(instance, vifs, namespace)
    except exception.VirtualInterfacePlugException:
        raise
    except processutils.ProcessExecutionError as error:
        raise exception.VirtualInterfacePlugException(
            f"cannot make the interfaces of instance {instance.uuid}: {(error.stderr or error.stdout or '').strip()}"
        ) from error
    except Exception as error:
        raise exception.VirtualInterfacePlugException(
            f"cannot make the interfaces of instance {instance.uuid}: {error}"
        ) from error


def _plug(instance: Any, vifs: list[Any], namespace: guest.NetworkNamespace) -> None:
    present = {link["ifname"]: link for link in _links(namespace)}
    on_host: list[str] = []
    in_guest, in_userspace = [], []
    for vif in vifs:
        _check(vif)
    for vif, interface in zip(vifs, interfaces(vifs)):
        device = _device_of(interface, present)
        if not _is_whole(interface, present.get(device), namespace):
            if vif["type"] in _OS_VIF_TYPES:
                # The switch may hold on to a device of the same name that is gone.
                os_vif.unplug(_os_vif_object(vif), os_vif_util.nova_to_osvif_instance(instance))
            on_host.append(_creation(interface, device, namespace.pid))
            present[device] = {"address": interface.mac}
        if vif["type"] in _OS_VIF_TYPES and on_host:
            privileged.ip_batch(on_host)  # os-vif connects a device that is there
            on_host.clear()
        on_host += _host_steps(interface, _connect(instance, vif))
        in_guest += _guest_steps(interface, device)
        if (vif["details"] or {}).get(model.VIF_DETAILS_OVS_DATAPATH_TYPE) == _USERSPACE_DATAPATH:
            in_userspace.append(device)
    privileged.ip_batch(on_host)
    privileged.ip_batch(in_guest, namespace.path)
    for device in in_userspace:
        privileged.checksum_in_software(device, namespace.path)


def _links(namespace: guest.NetworkNamespace) -> Sequence[dict[str, Any]]:
    """Return the links of a guest; of a new one, which has no more than ``lo``, without running a program in it."""
    with open(f"/proc/{namespace.pid}/net/dev", encoding="ascii") as devices:
        _, _, *names = (line.partition(":")[0].strip() for line in devices)  # two lines of titles
    return [] if names in ([], ["lo"]) else privileged.links(namespace.path)


def unplug(instance: Any, network_info: Iterable[Any]) -> None:
    """Take the guest's interfaces away, as far as they are there.

    :raises nova.exception.VirtualInterfaceUnplugException: the first failure, after all ports were tried.
    """
    failure: Exception | None = None
    for vif in network_info:
        try:
            device = _host_device(vif)
            _delete(device)
            if vif["type"] in _OS_VIF_TYPES:
                os_vif.unplug(_os_vif_object(vif), os_vif_util.nova_to_osvif_instance(instance))
        except Exception as error:
            LOG.warning("Cannot unplug port %s: %s", vif["id"], error, instance=instance)
            failure = failure or error
    if failure:
        raise exception.VirtualInterfaceUnplugException(reason=str(failure)) from failure


def own(network_info: Iterable[Any], namespace: guest.NetworkNamespace | None) -> list[Any]:
    """Return the ports without those whose host's end is there and leads elsewhere than into *namespace*."""
    inside = {link.get("link_index") for link in privileged.links(namespace.path)} if namespace else set()
    at_host = {link["ifname"]: link["ifindex"] for link in privileged.links()}
    return [vif for vif in network_info if at_host.get(_host_device(vif)) in (None, *inside)]


def _delete(device: str) -> None:
    """Delete a link of the host, if it is there; one whose other end was in a container may go at any moment."""
    if not _index(device):
        return
    try:
        privileged.ip_batch([f"link delete dev {device}"])
    except processutils.ProcessExecutionError:
        if _index(device):
            raise


def _index(device: str) -> int:
    """Return the number of a link of the host, 0 when it is not there."""
    try:
        return socket.if_nametoindex(device)
    except OSError:
        return 0


def _host_device(vif: Any) -> str:
    return vif.get("devname") or ("tap" + vif["id"])[: model.NIC_NAME_LEN]


def _check(vif: Any) -> None:
    """Refuse a port whose binding is not one for a container, before anything is made for it.

    :raises nova.exception.VirtualInterfacePlugException: with the binding's name.
    """
    vif_type = vif["type"]
    if vif_type == model.VIF_TYPE_TAP or (
        vif_type == model.VIF_TYPE_OTHER and (vif["details"] or {}).get("bridge_name")
    ):
        return
    if vif_type not in _OS_VIF_TYPES:
        raise exception.VirtualInterfacePlugException(
            f'port {vif["id"]} has binding type "{vif_type}", which a container cannot have; it needs ovs, bridge, tap,'
            " or other with bridge_name in its binding details"
            + (": Neutron could not bind it to this host" if vif_type == model.VIF_TYPE_BINDING_FAILED else "")
        )


def _connect(instance: Any, vif: Any) -> str | None:
    """Prepare the host for a port as its binding says; return the Linux bridge that the host's end has to join."""
    vif_type = vif["type"]
    if vif_type == model.VIF_TYPE_TAP:
        return None
    if vif_type == model.VIF_TYPE_OTHER:
        return vif["details"]["bridge_name"]
    port = _os_vif_object(vif)
    os_vif.plug(port, os_vif_util.nova_to_osvif_instance(instance))
    # A VIFOpenVSwitch names the integration bridge, which os-vif has joined to already.
    return port.bridge_name if type(port).__name__ == "VIFBridge" else None


def _os_vif_object(vif: Any) -> Any:
    """Return the os-vif view of a port, with our veth as the device.

    :raises nova.exception.VirtualInterfacePlugException: os-vif does not know it as a device that a container can have.
    """
    vif = copy.copy(vif)
    vif["devname"] = _host_device(vif)  # os-vif would call a port without one "nic..."
    port = os_vif_util.nova_to_osvif_vif(vif)
    if type(port).__name__ not in ("VIFBridge", "VIFOpenVSwitch"):
        raise exception.VirtualInterfacePlugException(
            f"port {vif['id']} needs a {type(port).__name__}, which a container cannot have"
        )
    if type(port).__name__ == "VIFOpenVSwitch":
        # With libvirt, libvirt adds the device to the bridge; here nobody else would. A tap that os-vif makes under
        # the veth's name, the default of newer Neutron, would be in its way.
        port.port_profile.create_port = True
        if "create_tap" in port.port_profile.fields:
            port.port_profile.create_tap = False
    return port


def _device_of(interface: Interface, present: Mapping[str, Any]) -> str:
    """Return the name of a port's interface in the guest: the one it has, else the first free ``ethN``."""
    for name, link in present.items():
        if link.get("address") == interface.mac:
            return name
    return next(f"eth{n}" for n in range(len(present) + 1) if f"eth{n}" not in present)


def _is_whole(interface: Interface, own: Any, namespace: guest.NetworkNamespace) -> bool:
    """Return whether both ends of a port's pair are there and belong together; take away what is there of a broken one.

    A host's end can be of an earlier network namespace, or a tap that somebody made in our place.
    """
    host = _index(interface.host_device)
    if host and own and own.get("link_index") == host:
        return True
    if own:
        privileged.ip_batch([f"link delete dev {own['ifname']}"], namespace.path)
    if host:
        privileged.ip_batch([f"link delete dev {interface.host_device}"])
    return False


def _creation(interface: Interface, device: str, pid: int) -> str:
    mtu = f" mtu {interface.mtu}" if interface.mtu else ""
    # A bridge takes the lowest MAC of its ports for its own; fe: keeps the host's end from ever being that.
    return (
        f"link add name {interface.host_device}{mtu} address fe{interface.mac[2:]} type veth"
        f" peer name {device}{mtu} address {interface.mac} netns {pid}"
    )


def _host_steps(interface: Interface, bridge: str | None) -> list[str]:
    joining = [f"link set dev {interface.host_device} master {bridge}"] if bridge else []
    return [*joining, f"link set dev {interface.host_device} up"]


def _guest_steps(interface: Interface, device: str) -> list[str]:
    return [
        # Neutron has made sure that the address is unique, so there is no need to wait for IPv6 to find out.
        *(f"address replace {a} dev {device}{' nodad' if ':' in a else ''}" for a in interface.addresses),
        f"link set dev {device} up",
        # A gateway outside of the subnet is legal in Neutron.
        *(f"route replace {cidr} via {gateway} dev {device} onlink" for cidr, gateway in interface.routes),
    ]

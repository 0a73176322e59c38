# SPDX-License-Identifier: Apache-2.0
"""One flat Heat template for a cluster.

Stock Sahara nests three levels: a stack, a resource group for each node group in it, a stack for each node in that.
Each nested stack costs Heat a template, a graph, database rows and messages of its own. The template here is stock
Sahara's own for one node, repeated for every node with its names made unique.

Heat starts the resources that depend on nothing one by one, a second apart (a sleep in the converge loop of its
``engine/stack.py``), and those that become ready later at once. So all nodes depend on one empty resource, which leaves
one to start with, and for deletion, which goes the other way, another empty resource depends on all nodes.

Heat replaces a server whose definition differs from the last one, so a node's definition depends on nothing but its
cluster, its node group and its number, and must stay the same over releases of this package.
"""

from __future__ import annotations

import zlib
from typing import Any

import yaml  # type: ignore[import]
from sahara.service.heat import commons as heat_commons
from sahara.service.heat import templates as stock
from sahara.utils import general

SERVER = stock.INSTANCE_RESOURCE_NAME
_PORT = "port"
_FIRST, _LAST = "before-nodes", "after-nodes"


def server_name(node_group: Any, number: int) -> str:
    """Name of a node: ``<cluster>-<node group>-<number>``, in lower case."""
    return f"{node_group.cluster.name}-{node_group.name}-{number}".lower()


def server_resource(node_group: Any, number: int) -> str:
    """Name of a node's server in the template."""
    return f"{node_group.name}-{number}"


class FlatTemplate(stock.ClusterStack):
    """Template of a cluster with the nodes *members*.

    :param members: the numbers of the nodes of each node group, by node group id.
    :param user_data: a function of a node group that returns the script for a cloud-init that may be in the image.
    """

    def __init__(self, cluster: Any, members: dict[str, list[int]], user_data: Any) -> None:
        super().__init__(cluster)
        self._members = members
        self._user_data = user_data
        for node_group in cluster.node_groups:
            self.add_node_group_extra(node_group.id, len(members[node_group.id]), lambda *_: "")

    def text(self) -> str:
        """The template in YAML; ``files`` holds the templates that it names."""
        resources: dict[str, Any] = {}
        for index in range(self.cluster.anti_affinity_ratio if self.cluster.anti_affinity else 0):
            resources.update(self._serialize_aa_server_group(index + 1))
        parameters = {}
        for node_group in self.cluster.node_groups:
            resources.update(self._serialize_auto_security_group(node_group))
            if not self._members[node_group.id]:
                continue
            # A parameter, as the script is the same for all nodes of a group and templates are limited in size.
            parameters[_user_data_parameter(node_group)] = {"type": "string", "default": self._user_data(node_group)}
            node = self._node(node_group)
            for number in self._members[node_group.id]:
                resources.update(self._numbered(node, node_group, number))
        for resource in resources.values():
            resource["depends_on"] = [*resource.get("depends_on", []), _FIRST]
        resources[_LAST] = {"type": "OS::Heat::None", "depends_on": sorted(resources)}
        resources[_FIRST] = {"type": "OS::Heat::None"}
        return yaml.safe_dump(
            {
                "heat_template_version": heat_commons.HEAT_TEMPLATE_VERSION,
                "description": self.base_info,
                "parameters": parameters,
                "resources": resources,
            }
        )

    def _node(self, node_group: Any) -> dict[str, Any]:
        """Resources of any node of a group, as in a template of their own with the parameter ``instance_index``."""
        resources = self._serialize_instance(node_group)
        server = resources[SERVER]["properties"]
        # Nothing in Heat's own multipart user data is for a container.
        server["user_data"] = {"get_param": _user_data_parameter(node_group)}
        server["user_data_format"] = "RAW"
        if not node_group.floating_ip_pool:
            # The stock template has them refer to a floating address that is not there, which Heat refuses.
            for record in (stock.EXTERNAL_DESIGNATE_REC, stock.EXTERNAL_DESIGNATE_REV_REC):
                resources.pop(record, None)
            # Nova makes the port as fast; as a resource of its own it costs Heat and Neutron several requests a node.
            port = resources.pop(_PORT)["properties"]
            server["networks"] = [{"network": port["network_id"]}]
            if port.get("security_groups"):
                server["security_groups"] = port["security_groups"]
        return resources

    def _numbered(self, node: dict[str, Any], node_group: Any, number: int) -> dict[str, Any]:
        """Resources of one node, named and referring to one another by names that no other node has."""
        name = server_resource(node_group, number)
        names = {local: name if local == SERVER else f"{name}-{local}" for local in node}
        parameters: dict[str, Any] = {"instance_index": str(number)}
        if node_group.auto_security_group:
            group = general.generate_auto_security_group_name(node_group)
            parameters[stock.AUTO_SECURITY_GROUP_PARAM_NAME] = {"get_resource": group}
        if self.cluster.anti_affinity:
            parameters[stock.SERVER_GROUP_NAMES] = {"get_resource": self._server_group(node_group, number)}
        return {names[local]: _inlined(resource, names, parameters) for local, resource in node.items()}

    def _server_group(self, node_group: Any, number: int) -> str:
        """Server groups in turn, by a rule that gives a node the same one at every update."""
        turn = (zlib.crc32(node_group.name.encode()) + number) % self.cluster.anti_affinity_ratio
        return general.generate_aa_group_name(self.cluster.name, turn + 1)


def _user_data_parameter(node_group: Any) -> str:
    return f"{node_group.name}-user-data"


def _inlined(value: Any, names: dict[str, str], parameters: dict[str, Any]) -> Any:
    """*value* with a nested template's own names and parameters replaced by the outer template's."""
    if isinstance(value, list):
        return [_inlined(item, names, parameters) for item in value]
    if not isinstance(value, dict):
        return value
    if "get_param" in value:
        wanted = value["get_param"]
        # The list of server groups is indexed by the node's number; the choice is made already.
        key = wanted[0] if isinstance(wanted, list) else wanted
        return parameters.get(key, value)
    if "get_resource" in value:
        return {"get_resource": names.get(value["get_resource"], value["get_resource"])}
    if "get_attr" in value:
        resource, *path = value["get_attr"]
        return {"get_attr": [names.get(resource, resource), *_inlined(path, names, parameters)]}
    inlined = {key: _inlined(item, names, parameters) for key, item in value.items()}
    if "depends_on" in inlined:
        depends_on = inlined["depends_on"]
        wanted = [depends_on] if isinstance(depends_on, str) else depends_on
        inlined["depends_on"] = [names.get(resource, resource) for resource in wanted]
    return inlined

# SPDX-License-Identifier: Apache-2.0
"""The settings that are sent to Cloudera Manager for a service and for a role.

The values themselves are the stock plugin's; this only decides which of several wins.
"""

from __future__ import annotations

from typing import Any

from sahara_docker.plugins.cdh_docker import sizing, storage, topology


class RoleConfigs:
    """Settings of one CDH version.

    :param stock: the version's stock ``ClouderaUtils``, set up with our plugin utils; only its arithmetic is used.
    """

    def __init__(self, stock: Any) -> None:
        self._stock = stock

    def of_service(self, service: topology.Service, cluster: Any) -> dict[str, Any]:
        """Return a service's settings: the plugin's, overridden by the cluster configs."""
        return self._stock._get_configs(service.type, cluster=cluster)

    def of_role(self, role: str, instance: Any, reserved: int | None = None) -> dict[str, Any]:
        """Return a role's settings: the plugin's, overridden by the cluster's and then by the node group's.

        The stock plugin lets its own defaults override the user.

        :param reserved: bytes to keep free on a DataNode's volume when the user has not said.
        """
        settings = dict(self._stock._get_configs(role, instance=instance))
        given = self.user_settings(role, instance)
        if role == "DATANODE" and reserved is not None:
            settings.setdefault(storage.RESERVED, reserved)
        if role == "NODEMANAGER" and sizing.NODE_MANAGER_LIMITS - set(given):
            settings.update(sizing.node_manager_limits(instance.node_group))
        return {**settings, **given}

    def user_settings(self, role: str, instance: Any) -> dict[str, Any]:
        """Return what the user has set for a role, the node group's word before the cluster's."""
        # KMS names a service and a role; in cluster configs it means the service.
        cluster_wide = {} if role in topology.SERVICE_NAME else instance.cluster.cluster_configs.get(role, {})
        of_group = self._stock.pu.convert_process_configs(instance.node_group.node_configs).get(role, {})
        return {**cluster_wide, **of_group}

# SPDX-License-Identifier: Apache-2.0
"""The stock plugin's cluster queries, with the two of its functions that do not work replaced."""

from __future__ import annotations

from typing import Any

from sahara.plugins import resource

from sahara_docker.plugins.cdh_docker import sizing, topology


class PluginUtilsMixin:
    """Goes before a stock ``PluginUtils`` class of one version.

    :param options: the version's options, an :class:`options.OptionsMixin`.
    """

    def __init__(self, options: Any) -> None:
        self.c_helper = options

    def convert_process_configs(self, configs: Any) -> Any:
        """Return node configs by role type.

        The stock method renames keys of the dictionary it iterates over, which Python 3.8 and later refuse.
        """
        if resource.is_resource_instance(configs):
            configs = configs.to_dict()
        return resource.create_resource(
            {topology.ROLE_OF_CONFIG_SECTION.get(section, section): values for section, values in configs.items()}
        )

    def recommend_configs(self, cluster: Any, plugin_configs: list[Any], scaling: bool) -> None:
        """Set what the user leaves to the plugin."""
        sizing.AutoConfiguration(plugin_configs, cluster, scaling).apply_recommended_configs()

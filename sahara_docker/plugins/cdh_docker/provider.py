# SPDX-License-Identifier: Apache-2.0
"""The plugin as Sahara loads it."""

from __future__ import annotations

from typing import Any

from oslo_config import cfg
from sahara.plugins import provisioning
from sahara_plugin_cdh.plugins.cdh import plugin as stock

from sahara_docker import conf
from sahara_docker.plugins.cdh_docker import option_texts, versions


class CDHDockerPluginProvider(stock.CDHPluginProvider):
    """Provisions CDH on containers.

    Sahara's API and engine both load it, so that a version's parts are built only when they are asked for. Images need
    the tags ``cdh_docker`` (the plugin's name) and the version, by Sahara's own rule.
    """

    def __init__(self) -> None:
        # The stock constructor would load the stock plugin's own versions.
        provisioning.ProvisioningPluginBase.__init__(self)
        conf.register_sahara_opts(cfg.CONF)
        self.version_factory = versions.VersionFactory()

    def get_title(self) -> str:
        """Return the plugin's name for people."""
        return "Cloudera CDH on Docker"

    def get_description(self) -> str:
        """Return what the plugin is for, in one sentence."""
        return "Launches Cloudera's distribution of Apache Hadoop, with Cloudera Manager, on Docker containers."

    def get_labels(self) -> dict[str, Any]:
        """Return which versions are stable."""

        def label(stable: bool) -> dict[str, Any]:
            return {"enabled": {"status": True}, "stable" if stable else "deprecated": {"status": True}}

        return {
            "plugin_labels": label(True),
            "version_labels": {version.number: label(version.stable) for version in versions.VERSIONS},
        }

    def get_all_configs(self, hadoop_version: str) -> list[provisioning.Config]:
        """Return what can be set, Sahara's own options included, with texts that are true of containers."""
        return [option_texts.mend(config) for config in super().get_all_configs(hadoop_version)]

    def on_terminate_cluster(self, cluster: Any) -> None:
        """Clean up before a cluster's nodes go; the stock provider never calls its handler's method for it."""
        self._get_version_handler(cluster.hadoop_version).on_terminate_cluster(cluster)

    def forget_nodes(self, cluster: Any, instances: list[Any]) -> None:
        """Forget new nodes of a scaling that has died with its engine; another engine is about to remove them.

        :raises Exception: they may hold data that no other node has, and must not be removed.
        """
        self._get_version_handler(cluster.hadoop_version).deploy.forget_nodes(cluster, instances)

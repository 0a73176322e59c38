# SPDX-License-Identifier: Apache-2.0
"""The stock version handler, joined with our parts in place of its modules."""

from __future__ import annotations

from typing import Any

from sahara_plugin_cdh.plugins.cdh import abstractversionhandler as stock

from sahara_docker.plugins.cdh_docker import cloudera, deployment, health, images, passwords, validation


class VersionHandler(stock.BaseVersionHandler):
    """Everything the plugin does for one version of CDH.

    :param options: the version's :class:`options.OptionsMixin`.
    :param edp_engines: an object with the classes ``EdpOozieEngine`` and ``EdpSparkEngine``.
    :param validator: the version's class of topology checks.
    """

    def __init__(
        self,
        *,
        options: Any,
        cloudera: cloudera.Cloudera,
        plugin_utils: Any,
        deployment: deployment.Deployment,
        edp_engines: Any,
        images: images.Images,
        validator: Any,
    ) -> None:
        super().__init__()
        self.config_helper = options
        self.cloudera_utils = cloudera
        self.plugin_utils = plugin_utils
        self.deploy = deployment
        self.edp_engine = edp_engines
        self.images = images
        self.validation = validator

    def get_node_processes(self) -> dict[str, list[str]]:
        """Return processes by service, and every section under which configs can be set."""
        sections = super().get_node_processes()
        sections.pop("WEBCAT", None)  # misspelt, so that WebHCat's options had no section
        return {**sections, "WEBHCAT": [], "Spark": []}

    def validate(self, cluster: Any) -> None:
        """Check a cluster before it is created.

        :raises SaharaException: when it cannot work, with what to change.
        """
        validation.check(cluster)
        super().validate(cluster)

    def validate_scaling(self, cluster: Any, existing: Any, additional: Any) -> None:
        """Check a cluster before it is scaled; new node groups are part of it already, without nodes.

        :raises SaharaException: when it cannot work, with what to change.
        """
        validation.check(cluster)
        super().validate_scaling(cluster, existing, additional)

    def validate_images(self, cluster: Any, test_only: bool = False, image_arguments: Any = None) -> None:
        """Check the images of a cluster's nodes once the nodes have their environment."""
        self.deploy.prepare_images(cluster, test_only=test_only)

    def get_health_checks(self, cluster: Any) -> list[Any]:
        """Return the health checks of a cluster."""
        return health.checks_of(cluster, self.cloudera_utils)

    def on_terminate_cluster(self, cluster: Any) -> None:
        """Remove what only the cluster's life justified."""
        passwords.remove_all(cluster)

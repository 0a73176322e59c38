# SPDX-License-Identifier: Apache-2.0
"""Sahara's conductor, key manager and remote in this process, on a database in memory."""

from __future__ import annotations

import types
from typing import Any
from unittest import mock

import fixtures
from oslo_config import cfg
from oslo_config import fixture as config_fixture
from sahara import conductor, context
from sahara.db import api as db_api
from sahara.service.castellan import config as castellan_config
from sahara.utils import remote as sahara_remote
from sahara.utils import rpc

from sahara_docker import conf
from sahara_docker.plugins.cdh_docker import provider
from sahara_docker.ssh import driver, remote


class SaharaParts(fixtures.Fixture):
    """What a plugin needs of Sahara; the remote is the package's own.

    :param password: of the nodes' login user.
    """

    def __init__(self, password: str) -> None:
        super().__init__()
        self._password = password

    def _setUp(self) -> None:
        conf.register_sahara_opts(cfg.CONF)
        self.options = self.useFixture(config_fixture.Config(cfg.CONF))
        self.options.config(ssh_password=self._password, group="sahara_docker")
        self.options.config(connection="sqlite://", group="database")
        db_api.setup_db()
        self.addCleanup(db_api.drop_db)
        rpc.setup("all-in-one")
        castellan_config.validate_config()
        self.addCleanup(context.set_ctx, context.ctx() if context.has_ctx() else None)
        self.ctx = context.Context(user_id="user", tenant_id="tenant", tenant_name="tenant")
        context.set_ctx(self.ctx)
        remotes = driver.DockerRemoteDriver()
        self.remotes = remotes.remotes = remote.Remotes(cfg.CONF)
        self.addCleanup(remotes.close)
        self.useFixture(fixtures.MonkeyPatch("sahara.utils.remote.DRIVER", remotes))
        assert sahara_remote.DRIVER is remotes

    def plugin(self, disk: int) -> provider.CDHDockerPluginProvider:
        """Return the plugin. The flavor is Nova's to tell; here all have *disk* GB, 6 GiB of memory and two cores."""
        flavor = types.SimpleNamespace(disk=disk, ram=6144, vcpus=2)
        for name in ("sahara.plugins.utils.get_flavor", "sahara.utils.openstack.nova.get_flavor"):
            self.useFixture(fixtures.MonkeyPatch(name, mock.Mock(return_value=flavor)))
        plugin = provider.CDHDockerPluginProvider()
        plugin.name = "cdh_docker"
        return plugin

    def reload(self, cluster: Any, step_type: str) -> Any:
        """Return a cluster as it is now, for one kind of work on it by the plugin."""
        context.current().current_instance_info = context.InstanceInfo(cluster.id, step_type=step_type)
        return conductor.API.cluster_get(self.ctx, cluster.id)

    def cluster(self, name: str, node_groups: list[dict[str, Any]], **values: Any) -> Any:
        """Return a cluster without instances."""
        groups = [{"flavor_id": "1", "count": 0, "image_username": "cdh", **group} for group in node_groups]
        fixed = {"plugin_name": "cdh_docker", "hadoop_version": "5.13.0", "tenant_id": "tenant"}
        return conductor.API.cluster_create(self.ctx, {"name": name, "node_groups": groups, **fixed, **values})

    def add_instance(self, cluster: Any, group_name: str, address: str) -> None:
        """Add a node to a node group, as the engine does before it hands the cluster to the plugin."""
        group = next(group for group in cluster.node_groups if group.name == group_name)
        name = f"{cluster.name}-{group_name}-{group.count}"
        instance = conductor.API.instance_add(self.ctx, group, {"instance_id": name, "instance_name": name})
        conductor.API.instance_update(self.ctx, instance, {"management_ip": address, "internal_ip": address})

# SPDX-License-Identifier: Apache-2.0
"""What a plugin finds in sahara-engine: conductor, key manager, context; nodes that answer as told."""

from __future__ import annotations

import dataclasses
import types
from typing import Any

import eventlet
import fixtures
import requests
from oslo_config import cfg
from oslo_config import fixture as config_fixture
from sahara import conductor, context, exceptions
from sahara.db import api as db_api
from sahara.service.castellan import config as castellan_config
from sahara.utils import (
    cluster_progress_ops,  # noqa: F401 - registers the event log's option
    rpc,
)

from sahara_docker import conf

VOLUME_GIB = 20
_DISK = f"Filesystem 1-blocks Used Available Capacity Mounted\n/dev/v {VOLUME_GIB << 30} 0 0 0% /volumes/disk1\n"


@dataclasses.dataclass
class Asked:
    """Something that was done on a node: a remote's method and its first argument."""

    node: str
    method: str
    what: str


class Nodes:
    """A remote driver whose nodes are complete: every command succeeds without output, unless it asks for a disk.

    :ivar asked: what was done on which node.
    :ivar outcomes: exit code and output of commands by a part of theirs.
    :ivar failing_once: parts of commands of which each fails the first time.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.outcomes: dict[str, tuple[int, str]] = {" df ": (0, _DISK)}
        self.failing_once: list[str] = []

    def get_remote(self, instance: Any) -> _Remote:
        return _Remote(instance.instance_name, self)


class _Remote:
    def __init__(self, node: str, nodes: Nodes) -> None:
        self._node = node
        self._nodes = nodes

    def __enter__(self) -> _Remote:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def __getattr__(self, method: str) -> Any:
        def note(*arguments: Any, **_: Any) -> Any:
            asked = Asked(self._node, method, str(arguments[0]) if arguments else "")
            new = asked not in self._nodes.asked
            self._nodes.asked.append(asked)
            if method == "get_http_client":
                return requests.Session()  # nothing answers on the node's other ports
            if method != "execute_command":
                return {"get_os_distrib": "ubuntu", "get_os_version": "16.04"}.get(method, "")
            if new and any(part in asked.what for part in self._nodes.failing_once):
                raise exceptions.RemoteCommandException(asked.what, 1)
            return next((end for part, end in self._nodes.outcomes.items() if part in asked.what), (0, ""))

        return note


class SaharaProcess(fixtures.Fixture):
    """Sahara's parts on a database in memory.

    :ivar nodes: the nodes.
    """

    def _setUp(self) -> None:
        conf.register_sahara_opts(cfg.CONF)
        self.options = self.useFixture(config_fixture.Config(cfg.CONF))
        self.options.config(connection="sqlite://", group="database")
        self.options.config(disable_event_log=True)
        db_api.setup_db()
        self.addCleanup(db_api.drop_db)
        rpc.setup("all-in-one")
        castellan_config.validate_config()
        self.addCleanup(context.set_ctx, context.ctx() if context.has_ctx() else None)
        self.ctx = context.Context(user_id="user", tenant_id="tenant", tenant_name="tenant")
        context.set_ctx(self.ctx)
        flavor = types.SimpleNamespace(ram=4096, vcpus=2, disk=VOLUME_GIB)
        self.useFixture(fixtures.MonkeyPatch("sahara.utils.openstack.nova.get_flavor", lambda **_: flavor))
        self.nodes = Nodes()
        self.useFixture(fixtures.MonkeyPatch("sahara.utils.remote.DRIVER", self.nodes))

    def cluster(self, groups: dict[str, tuple[list[str], int]], address: str, **values: Any) -> Any:
        """A cluster with its instances.

        :param groups: processes and number of instances by name of the node group.
        :param address: of every instance.
        """
        rows = [
            {
                "name": name,
                "node_processes": processes,
                "count": 0,
                "flavor_id": "1",
                "image_username": "cdh",
                "volumes_per_node": 1,
                "volumes_size": VOLUME_GIB,
                "volume_mount_prefix": "/volumes/disk",
                "node_configs": values.get("node_configs", {}).get(name, {}),
            }
            for name, (processes, _) in groups.items()
        ]
        values = {key: value for key, value in values.items() if key != "node_configs"}
        row = {"name": "c1", "node_groups": rows, "tenant_id": "tenant", "status": "Starting", **values}
        cluster = conductor.API.cluster_create(self.ctx, row)
        for name, (_, count) in groups.items():
            for _ in range(count):
                self.add_instance(cluster, name, address)
        return self.reload(cluster)

    def add_instance(self, cluster: Any, group_name: str, address: str) -> Any:
        """Add a node and return it."""
        group = next(group for group in self.reload(cluster).node_groups if group.name == group_name)
        name = f"c1-{group_name}-{group.count}"
        row = {"instance_id": name, "instance_name": name, "storage_devices_number": 1}
        identifier = conductor.API.instance_add(self.ctx, group, row)
        instance = next(i for g in self.reload(cluster).node_groups for i in g.instances if i.id == identifier)
        conductor.API.instance_update(self.ctx, instance, {"management_ip": address, "internal_ip": address})
        return next(i for g in self.reload(cluster).node_groups for i in g.instances if i.id == identifier)

    def reload(self, cluster: Any) -> Any:
        """The cluster as the database has it now."""
        return conductor.API.cluster_get(self.ctx, cluster.id)


class Hurried(fixtures.Fixture):
    """Sahara's pauses take no time, but let others run."""

    def _setUp(self) -> None:
        for name in ("sahara.context.sleep", "sahara.plugins.context.sleep"):
            self.useFixture(fixtures.MonkeyPatch(name, lambda seconds=0: eventlet.sleep(0)))

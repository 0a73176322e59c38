# SPDX-License-Identifier: Apache-2.0
"""Clusters to test with: Sahara's own resource objects, as the conductor would return them.

Sahara's own test helpers are not used: importing them patches sockets and threads for the whole process, after which
the real servers that other tests start in threads no longer run.
"""

from __future__ import annotations

import types
from typing import Any

import fixtures
import testtools
from oslo_config import cfg
from oslo_config import fixture as config_fixture
from oslo_utils import uuidutils
from sahara import context
from sahara.conductor import resource
from sahara.plugins import utils as plugin_utils
from sahara.utils import cluster_progress_ops  # noqa: F401 - registers the event log's option

MANAGER = ["CLOUDERA_MANAGER"]
MASTER = ["HDFS_NAMENODE", "HDFS_SECONDARYNAMENODE", "YARN_RESOURCEMANAGER", "YARN_JOBHISTORY", "OOZIE_SERVER"]
WORKER = ["HDFS_DATANODE", "YARN_NODEMANAGER"]


def node_group(name: str, processes: list[str], count: int = 1, **fields: Any) -> dict[str, Any]:
    """Return a node group with *count* instances called ``<name>-<n>``."""
    instances = [
        {
            "id": uuidutils.generate_uuid(),
            "instance_id": uuidutils.generate_uuid(),
            "instance_name": f"{name}-{index}",
            "management_ip": f"10.0.{sum(map(ord, name)) % 200}.{index + 10}",
            "internal_ip": f"10.0.{sum(map(ord, name)) % 200}.{index + 10}",
            "storage_devices_number": 0,
            "dns_hostname": None,
        }
        for index in range(count)
    ]
    return {
        "id": uuidutils.generate_uuid(),
        "name": name,
        "cluster_id": "cluster-id",
        "flavor_id": name,
        "image_username": "cdh",
        "node_processes": processes,
        "node_configs": {},
        "count": count,
        "instances": instances,
        "volumes_per_node": 0,
        "volumes_size": None,
        "volume_mount_prefix": "/volumes/disk",
        "use_autoconfig": True,
        **fields,
    }


def cluster(*groups: dict[str, Any], version: str = "5.13.0", **fields: Any) -> resource.ClusterResource:
    """Return a cluster of *groups*; by default of a manager, a master and two workers."""
    node_groups = list(groups) or [
        node_group("manager", MANAGER),
        node_group("master", MASTER),
        node_group("worker", WORKER, count=2),
    ]
    return resource.ClusterResource(
        {
            "id": "cluster-id",
            "name": "c1",
            "tenant_id": "tenant",
            "plugin_name": "cdh_docker",
            "hadoop_version": version,
            "node_groups": node_groups,
            "cluster_configs": {},
            "anti_affinity": [],
            "extra": {},
            "status": "Starting",
            "use_autoconfig": True,
            **fields,
        }
    )


class PluginTestCase(testtools.TestCase):
    """A test with a request context and without Sahara's event log, which needs a database."""

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(context.set_ctx, context.ctx() if context.has_ctx() else None)
        context.set_ctx(context.Context(user_id="user", tenant_id="tenant", tenant_name="tenant"))
        self.conf = self.useFixture(config_fixture.Config(cfg.CONF))
        self.conf.config(disable_event_log=True)
        flavor = types.SimpleNamespace(ram=4096, vcpus=2, disk=10)
        self.useFixture(fixtures.MockPatchObject(plugin_utils, "get_flavor", return_value=flavor))

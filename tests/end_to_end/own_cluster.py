# SPDX-License-Identifier: Apache-2.0
"""A cluster of a test's own, made by Sahara beside the demonstration's."""

from __future__ import annotations

import json
import pathlib

import fixtures

from lab import client, cluster, registration, rest, settings
from tests.end_to_end.demo import LAB

#: A node group's flavor, its node processes and how many nodes it has.
Group = tuple[str, tuple[str, ...], int]


class OwnCluster(fixtures.Fixture):
    """It is made with the ordinary client, is Active when the fixture is set up, and goes with its templates.

    :param groups: by the names of the node groups.
    """

    def __init__(self, cloud: rest.Cloud, name: str, groups: dict[str, Group]) -> None:
        super().__init__()
        self.cloud, self.name, self._groups = cloud, name, groups

    def _setUp(self) -> None:
        plugin, version = registration.TAGS
        for group, (flavor, processes, _) in self._groups.items():
            client.openstack(
                LAB,
                f"dataprocessing node group template create --name {self.name}-{group} --flavor {flavor}",
                *("--plugin", plugin, "--plugin-version", version, "--processes", *processes),
            )
            self.addCleanup(client.openstack, LAB, f"dataprocessing node group template delete {self.name}-{group}")
        configs = pathlib.Path(self.useFixture(fixtures.TempDir()).join("configs.json"))
        configs.write_text(json.dumps({"HDFS": {"dfs_replication": 1}}))
        client.openstack(
            LAB,
            f"dataprocessing cluster template create --name {self.name}",
            *("--configs", str(configs)),
            *("--node-groups", *(f"{self.name}-{group}:{count}" for group, (_, _, count) in self._groups.items())),
        )
        self.addCleanup(client.openstack, LAB, f"dataprocessing cluster template delete {self.name}")
        self.addCleanup(cluster.delete, LAB, self.cloud, self.name)
        client.openstack(
            LAB,
            f"dataprocessing cluster create --name {self.name} --cluster-template {self.name}",
            *("--image", registration.IMAGE_NAME, "--neutron-network", settings.NETWORK_NAME),
        )
        rest.wait_until(lambda: self.found().status in ("Active", "Error"), timeout=600)
        if self.found().status != "Active":
            raise AssertionError(f"{self.name}: {self.found().status}: {self.found().reason}")

    def found(self) -> cluster.Cluster:
        """It as Sahara shows it now."""
        found = cluster.find(self.cloud, self.name)
        assert found is not None
        return found

    def node(self, group: str) -> cluster.Node:
        """The first node of a group."""
        return next(node for node in self.found().nodes if node.group == f"{self.name}-{group}")

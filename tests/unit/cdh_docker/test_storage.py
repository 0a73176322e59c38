# SPDX-License-Identifier: Apache-2.0
"""The space that HDFS leaves free."""

from __future__ import annotations

import types
from unittest import mock

from sahara.plugins import utils as plugin_utils

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import storage
from tests.unit.cdh_docker import base

GIB = storage.GIB


class LocalRemote:
    """Runs a node's commands on this machine."""

    def execute_command(self, command):
        import subprocess

        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
        return done.returncode, done.stdout


class ReservedTest(base.PluginTestCase):
    def test_is_a_small_bounded_share(self):
        self.assertEqual(GIB // 2, storage.reserved_for(10 * GIB))
        self.assertEqual(storage.SHOWN_DEFAULT, storage.reserved_for(10 * GIB))
        self.assertEqual(10 * GIB, storage.reserved_for(4096 * GIB))

    def test_never_takes_a_tenth_of_a_volume(self):
        for size in (1, 2, 5, 10, 20, 100, 1000):
            self.assertLess(storage.reserved_for(size * GIB), size * GIB / 10)

    def test_a_user_s_value_has_to_leave_room(self):
        storage.check_reserved("1024", GIB, "node-1")
        error = self.assertRaises(exceptions.SaharaDockerError, storage.check_reserved, 10 * GIB, 10 * GIB, "node-1")
        self.assertIn("[node-1] dfs_datanode_du_reserved leaves HDFS no room", str(error))
        for wrong in ("ten", -1, None):
            self.assertRaises(exceptions.SaharaDockerError, storage.check_reserved, wrong, GIB, "node-1")


class VolumeTest(base.PluginTestCase):
    def flavor(self, **fields):
        flavor = types.SimpleNamespace(disk=0)
        for name, value in fields.items():
            setattr(flavor, name, value)
        patcher = mock.patch.object(plugin_utils, "get_flavor", return_value=flavor)
        patcher.start()
        self.addCleanup(patcher.stop)

    def size(self, **fields):
        instance = base.cluster(base.node_group("worker", base.WORKER, **fields)).node_groups[0].instances[0]
        return storage.smallest_volume(instance, LocalRemote())

    def test_measures_the_file_system_of_a_directory_that_is_not_there_yet(self):
        import os

        self.flavor()
        stat = os.statvfs("/")
        with mock.patch("sahara.conductor.objects.Instance.storage_paths", return_value=["/not/there/yet"]):
            self.assertEqual(stat.f_blocks * stat.f_frsize, self.size())

    def test_is_bounded_by_the_flavor_s_disk(self):
        self.flavor(disk=1)
        self.assertEqual(GIB, self.size())

    def test_is_bounded_by_the_size_of_cinder_s_volumes(self):
        self.flavor(disk=500)
        self.assertEqual(GIB, self.size(volumes_per_node=1, volumes_size=1))

    def test_says_when_a_size_cannot_be_read(self):
        self.flavor()
        remote = mock.Mock(execute_command=lambda command: (0, "df: no\n"))
        instance = base.cluster(base.node_group("worker", base.WORKER)).node_groups[0].instances[0]
        error = self.assertRaises(exceptions.SaharaDockerError, storage.smallest_volume, instance, remote)
        self.assertIn("df: no", str(error))

# SPDX-License-Identifier: Apache-2.0
"""Room for the data of leaving nodes, by the word of a NameNode's page."""

from __future__ import annotations

import contextlib
import json
import types

import fixtures
import requests

from sahara_docker.plugins.cdh_docker import removal, room
from tests.unit.cdh_docker import test_managed_cluster
from tests.unit.cdh_docker.http_server import Answer, ScriptedServer

MIB = 1024**2


class RoomTest(test_managed_cluster.ClusterTestCase):
    def manage_data(self, answer=None, **data_nodes):
        """Return a managed cluster whose DataNodes have that state, MiB in use and MiB free."""
        managed = self.manage_roles()
        live = {
            f"{name.replace('_', '-')}.novalocal:50010": {
                "adminState": state,
                "usedSpace": used * MIB,
                "remaining": free * MIB,
            }
            for name, (state, used, free) in data_nodes.items()
        }
        answer = answer or Answer(body={"beans": [{"LiveNodes": json.dumps(live)}]})
        self.server = self.useFixture(ScriptedServer(answer))
        session = requests.Session()
        self.addCleanup(session.close)
        remote = contextlib.nullcontext(types.SimpleNamespace(get_http_client=lambda port: session))
        name_node = types.SimpleNamespace(management_ip="127.0.0.1", remote=lambda: remote)
        place = (name_node, self.server.port)
        self.useFixture(fixtures.MockPatchObject(managed, "name_node", return_value=place))
        return managed

    def asked(self):
        return [request.path for request in self.server.requests]

    def test_data_that_fits_may_leave(self):
        managed = self.manage_data(worker_0=("In Service", 700, 300), worker_1=("In Service", 300, 600))
        room.check(managed, self.instances("worker-1"))
        self.assertEqual(["/jmx?qry=Hadoop%3Aservice%3DNameNode%2Cname%3DNameNodeInfo"], self.asked())

    def test_data_that_does_not_fit_stays_and_no_node_is_touched(self):
        managed = self.manage_data(worker_0=("In Service", 700, 256), worker_1=("In Service", 512, 600))
        self.useFixture(fixtures.MonkeyPatch("sahara_docker.plugins.cdh_docker.nodes.absence", lambda _: ""))
        error = self.assertRaises(room.NoRoom, removal.remove_workers, managed, self.instances("worker-1"))
        for part in ("worker-1.novalocal 512 MiB to move", "free: worker-0.novalocal 256 MiB", "lower their repl"):
            self.assertIn(part, str(error))
        self.assertEqual([], [call for call in self.session.calls if call[0] != "GET"])

    def test_nodes_that_leave_already_have_no_room_to_give(self):
        managed = self.manage_data(worker_0=("Decommissioned", 0, 9000), worker_1=("In Service", 1, 600))
        error = self.assertRaises(room.NoRoom, room.check, managed, self.instances("worker-1"))
        self.assertIn("no DataNode stays", str(error))

    def test_a_node_without_data_may_leave_a_full_cluster(self):
        managed = self.manage_data(worker_0=("In Service", 700, 0), worker_1=("In Service", 0, 600))
        room.check(managed, self.instances("worker-1"))

    def test_a_name_node_that_does_not_tell_is_no_obstacle(self):
        for answer in (Answer(401), Answer(body={"beans": []}), Answer(body="no JSON"), Answer(drop=True)):
            room.check(self.manage_data(answer), self.instances("worker-1"))
            self.assertEqual(1, len(self.asked()))

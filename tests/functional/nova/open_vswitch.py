# SPDX-License-Identifier: Apache-2.0
"""A real Open vSwitch with a database, sockets and logs of its own, in its userspace datapath.

No kernel module is needed: ``datapath_type=netdev`` switches packets in the daemon. It does not disturb an Open vSwitch
that the machine runs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import Any

import fixtures
import nova.conf
import os_vif
from vif_plug_ovs import privsep
from vif_plug_ovs.ovsdb import impl_idl

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"


class OpenVSwitch(fixtures.Fixture):
    """The two daemons and an integration bridge; os-vif is told to use them.

    Needs a driver that was initialized before, because that registers os-vif's options.
    """

    def __init__(self, bridge: str) -> None:
        self.bridge = bridge

    def _setUp(self) -> None:
        if not (shutil.which("ovs-vswitchd") and os.path.exists(SCHEMA)):
            raise AssertionError(
                "Open vSwitch is not installed: install the package openvswitch-switch (Debian, Ubuntu)"
            )
        self.directory = self.useFixture(fixtures.TempDir()).path
        self._environment = {**os.environ, **{f"OVS_{name}DIR": self.directory for name in ("RUN", "DB", "LOG")}}
        self.connection = f"unix:{self.directory}/db.sock"
        database = f"{self.directory}/conf.db"
        self._run("ovsdb-tool", "create", database, SCHEMA)
        self._start("ovsdb-server", database, f"--remote=p{self.connection}")
        self.vsctl("--no-wait", "init")
        self._start("ovs-vswitchd", self.connection)
        self.vsctl("add-br", self.bridge, "--", "set", "bridge", self.bridge, "datapath_type=netdev")
        self.addCleanup(self.vsctl, "del-br", self.bridge)
        subprocess.run(["ip", "link", "set", self.bridge, "up"], check=True)
        nova.conf.CONF.set_override("ovsdb_connection", self.connection, group="os_vif_ovs")
        # os-vif starts its privileged helper by sudo and rootwrap; the tests are root already.
        nova.conf.CONF.set_override(
            "helper_command", f"{sys.exec_prefix}/bin/privsep-helper", group="vif_plug_ovs_privileged"
        )
        self.addCleanup(privsep.vif_plug.stop)
        os_vif.initialize(reset=True)
        self.addCleanup(os_vif.initialize, reset=True)
        self.addCleanup(self._forget_connection)

    def _forget_connection(self) -> None:
        """ovsdbapp keeps one connection a process for ever; the next switch has another database."""
        if impl_idl.NeutronOvsdbIdl._ovsdb_connection is not None:
            impl_idl.NeutronOvsdbIdl._ovsdb_connection.stop(timeout=10)
            impl_idl.NeutronOvsdbIdl._ovsdb_connection = None

    def _start(self, daemon: str, *arguments: str) -> None:
        pid_file = f"{self.directory}/{daemon}.pid"
        log = f"--log-file={self.directory}/{daemon}.log"
        self._run(daemon, *arguments, f"--pidfile={pid_file}", log, "--detach", "--no-chdir")
        # With --cleanup the switch takes its devices away, the bridge's and its own.
        cleanup = ["--cleanup"] if daemon == "ovs-vswitchd" else []
        self.addCleanup(self._run, "ovs-appctl", "-t", daemon, "exit", *cleanup)

    def _run(self, *command: str) -> str:
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{' '.join(command)}: exit {done.returncode}: {done.stderr}"
        return done.stdout

    def vsctl(self, *arguments: str) -> str:
        return self._run("ovs-vsctl", f"--db={self.connection}", "--timeout=20", *arguments)

    def ports(self) -> list[str]:
        """Names of the ports on the integration bridge, without its own."""
        return self.vsctl("list-ports", self.bridge).split()

    def interface(self, name: str) -> dict[str, Any]:
        """Return a row of the table Interface: maps as dict, sets as the OVSDB protocol (RFC 7047) writes them."""
        table = json.loads(self.vsctl("--format=json", "list", "Interface", name))
        row = dict(zip(table["headings"], table["data"][0]))
        return {k: dict(v[1]) if isinstance(v, list) and v[0] == "map" else v for k, v in row.items()}

# SPDX-License-Identifier: Apache-2.0
"""A real OVN on the real Open vSwitch of :mod:`open_vswitch`: what Neutron's ML2/OVN writes to, and what acts on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from typing import Any

import fixtures

from tests.functional.nova import open_vswitch

_SCHEMAS = "/usr/share/ovn"


class OVN(fixtures.Fixture):
    """The two databases, northd and one chassis with its controller.

    :param switch: whose integration bridge the controller takes.
    """

    def __init__(self, switch: open_vswitch.OpenVSwitch) -> None:
        self._switch = switch

    def _setUp(self) -> None:
        if not (shutil.which("ovn-northd") and shutil.which("ovn-controller")):
            raise AssertionError("OVN is not installed: install the packages ovn-central and ovn-host (Debian, Ubuntu)")
        self._directory = self.useFixture(fixtures.TempDir()).path
        own = dict.fromkeys(("OVN_RUNDIR", "OVN_DBDIR", "OVN_LOGDIR"), self._directory)
        # The controller speaks OpenFlow with the bridge by a socket in the switch's directory.
        self._environment = {**os.environ, **own, "OVS_RUNDIR": self._switch.directory}
        north, south = (self._database(name) for name in ("nb", "sb"))
        self._north = north
        self._start("ovn-northd", f"--ovnnb-db={north}", f"--ovnsb-db={south}")
        self._switch.vsctl(
            "set", "open_vswitch", ".", "external_ids:system-id=nova-test", f"external_ids:ovn-remote={south}",
            "external_ids:ovn-encap-type=geneve", "external_ids:ovn-encap-ip=127.0.0.1",
            f"external_ids:ovn-bridge={self._switch.bridge}", "external_ids:ovn-bridge-datapath-type=netdev",
        )  # fmt: skip
        self._start("ovn-controller", self._switch.connection)

    def _database(self, name: str) -> str:
        file, socket = f"{self._directory}/{name}.db", f"unix:{self._directory}/{name}.sock"
        self._run("ovsdb-tool", "create", file, f"{_SCHEMAS}/ovn-{name}.ovsschema")
        self._start("ovsdb-server", file, f"--remote=p{socket}", f"--unixctl={self._directory}/{name}.ctl", name=name)
        return socket

    def _start(self, daemon: str, *arguments: str, name: str = "") -> None:
        name = name or daemon
        pid_file, log = f"{self._directory}/{name}.pid", f"{self._directory}/{name}.log"
        self._run(daemon, *arguments, f"--pidfile={pid_file}", f"--log-file={log}", "--detach", "--no-chdir")
        control = f"{self._directory}/{name}.ctl" if daemon == "ovsdb-server" else daemon
        self.addCleanup(self._run, "ovn-appctl" if daemon.startswith("ovn-") else "ovs-appctl", "-t", control, "exit")

    def _run(self, *command: str) -> str:
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{' '.join(command)}: exit {done.returncode}: {done.stderr}"
        return done.stdout

    def nbctl(self, *arguments: str) -> str:
        return self._run("ovn-nbctl", f"--db={self._north}", "--timeout=20", *arguments).strip()

    def add_switch(self, name: str, *ports: Any) -> None:
        """Make a logical switch with ports as ML2/OVN does: with the port's ID as name, MAC and addresses secured.

        :param ports: nova.network.model.VIF.
        """
        self.nbctl("ls-add", name)
        for port in ports:
            addresses = [ip["address"] for subnet in port["network"]["subnets"] for ip in subnet["ips"]]
            own = " ".join([port["address"], *addresses])
            self.nbctl(
                "lsp-add", name, port["id"], "--", "lsp-set-addresses", port["id"], own,
                "--", "lsp-set-port-security", port["id"], own,
            )  # fmt: skip

    def wait_for(self, port: Any, up: bool) -> None:
        """Wait until OVN says of a port that it is up, or down: of the first, ML2/OVN tells Nova.

        :raises AssertionError: it does not within 20 seconds.
        """
        deadline = time.monotonic() + 20
        while (self.nbctl("get", "logical_switch_port", port["id"], "up") == "true") != up:
            assert time.monotonic() < deadline, f"OVN never says that up is {up} of port {port['id']}"
            time.sleep(0.1)

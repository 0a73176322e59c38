# SPDX-License-Identifier: Apache-2.0
"""``python3 -m cloudera_manager.server``: the server's command line."""

from __future__ import annotations

import argparse
import logging
import os
import pathlib
import signal
import sys
import threading

from .. import BANNER, durable
from ..faults import Faults
from . import web
from .agents import Agents
from .api import Parts
from .commands import Commands
from .roles import Roles
from .store import Store
from .workflows import Workflows

LOG = logging.getLogger("cloudera_manager.server")


def assemble(state: pathlib.Path) -> Parts:
    """Return the parts of a server with its state in the file ``state``, and its faults on demand beside that.

    :raises ValueError: a file does not hold what it should.
    """
    faults, store = Faults(state.parent), Store(state)
    agents = Agents(store)
    roles, commands = Roles(store, agents), Commands(store, faults)
    return Parts(store, agents, roles, commands, Workflows(commands, roles), faults)


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="cloudera_manager.server", description=f"Server of the {BANNER}.")
    parser.add_argument("--state", type=pathlib.Path, default=pathlib.Path("/var/lib/cloudera-scm-server/state.json"))
    parser.add_argument("--bind", default="", help="address to listen on (default: all)")
    parser.add_argument("--port", type=int, default=7180, help="port of the API and the page")
    parser.add_argument("--agent-port", type=int, default=7182, help="port of the agents")
    parser.add_argument("--pidfile", type=pathlib.Path, help="file to write the pid to when ready")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    stopping = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    try:
        parts = assemble(arguments.state)
        if parts.faults.failing_start():
            print(f"cloudera-scm-server: {parts.faults.message}", file=sys.stderr)
            return 1
        if parts.faults.start_delay:  # as Cloudera Manager's own script, which ends a minute before its port opens
            _announce(arguments.pidfile)
            stopping.wait(parts.faults.start_delay)
        servers = [
            web.agent_server((arguments.bind, arguments.agent_port), parts),
            web.api_server((arguments.bind, arguments.port), parts),
        ]
    except (ValueError, OSError) as error:
        print(f"cloudera-scm-server: {error}", file=sys.stderr)
        return 1
    parts.faults.ports_are_open()
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    _announce(arguments.pidfile)
    LOG.info("%s: API on port %d, agents on port %d", BANNER, arguments.port, arguments.agent_port)
    comes_back = parts.faults.await_restart(stopping)
    if comes_back:
        LOG.info("restarting: %s", parts.faults.message)
        for server in servers:
            server.shutdown()
            server.server_close()
    parts.store.save()
    if comes_back:
        stopping.wait(parts.faults.restart_pause)
        if not stopping.is_set():
            os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - this very program
    return 0


def _announce(pidfile: pathlib.Path | None) -> None:
    """Tell the service script that the start has succeeded."""
    if pidfile:
        durable.write_text(pidfile, f"{os.getpid()}\n", mode=0o644)


if __name__ == "__main__":
    sys.exit(main())

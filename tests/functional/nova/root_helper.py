# SPDX-License-Identifier: Apache-2.0
"""What sudo is on a compute host: it starts privsep's helpers as root for a process that runs as somebody else."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading

import fixtures

_ASK = """\
import json, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect(sys.argv[1])
    server.sendall(json.dumps(sys.argv[2:]).encode())
    server.shutdown(socket.SHUT_WR)
    sys.exit(int(server.makefile().read()))
"""


class RootHelper(fixtures.Fixture):
    """Serves one user; ``command`` is what nova-compute has as its ``root_helper``.

    :param uid: of the user.
    :param directory: which that user can enter, for the socket.
    """

    def __init__(self, uid: int, directory: str) -> None:
        self._uid, self._directory = uid, directory
        self.contexts: list[str] = []

    def _setUp(self) -> None:
        path, script = (os.path.join(self._directory, name) for name in ("root.sock", "ask_root.py"))
        with open(script, "w", encoding="ascii") as file:
            file.write(_ASK)
        self.command = [os.path.realpath(sys.executable), "-I", "-S", script, path]
        self._listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(self._listener.close)
        self._listener.bind(path)
        os.chown(path, self._uid, -1)
        self._listener.listen()
        thread = threading.Thread(target=self._serve, daemon=True)
        thread.start()
        self.addCleanup(thread.join, timeout=60)
        self.addCleanup(self._listener.shutdown, socket.SHUT_RDWR)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    connection.settimeout(60)
                    words = json.loads(connection.makefile().read())
                    connection.sendall(str(self._start(words)).encode())

    def _start(self, words: list[str]) -> int:
        program, *arguments = words
        assert program == "privsep-helper", words
        self.contexts.append(arguments[arguments.index("--privsep_context") + 1])
        helper = os.path.join(sys.prefix, "bin", program)
        # It comes back when the daemon that it leaves behind is connected to its client.
        return subprocess.run([helper, *arguments], timeout=60, check=False).returncode

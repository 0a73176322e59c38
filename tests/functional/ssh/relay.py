# SPDX-License-Identifier: Apache-2.0
"""An operator's proxy command: relays its standard input and output to the host and port of its arguments."""

from __future__ import annotations

import os
import socket
import sys
import threading


def main() -> None:
    peer = socket.create_connection((sys.argv[1], int(sys.argv[2])))

    def forward() -> None:
        while data := os.read(0, 65536):
            peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)

    threading.Thread(target=forward, daemon=True).start()
    while data := peer.recv(65536):
        os.write(1, data)


if __name__ == "__main__":
    main()

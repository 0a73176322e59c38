# SPDX-License-Identifier: Apache-2.0
"""Keystone and Placement in one process, told apart by the port that a request came in on.

Both are plain WSGI applications; one process saves the memory and the start of a second one.
"""

from __future__ import annotations

import os
import sys

from lab import settings


def main() -> None:
    lab = settings.Lab(settings.default_state())
    os.environ["OS_KEYSTONE_CONFIG_DIR"] = os.environ["OS_PLACEMENT_CONFIG_DIR"] = str(lab.etc)
    os.environ["OS_KEYSTONE_CONFIG_FILES"] = "keystone.conf"
    del sys.argv[1:]  # both parse the command line of their process

    import waitress
    from keystone.server.wsgi import initialize_public_application
    from placement.wsgi import init_application

    applications = {
        str(settings.PORTS["keystone"]): initialize_public_application(),
        str(settings.PORTS["placement"]): init_application(),
    }

    def dispatch(environ, start_response):
        return applications[environ["SERVER_PORT"]](environ, start_response)

    waitress.serve(dispatch, listen=" ".join(f"127.0.0.1:{port}" for port in applications), threads=8, ident=None)


if __name__ == "__main__":
    main()

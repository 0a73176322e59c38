# SPDX-License-Identifier: Apache-2.0
"""Nova's API, conductor and scheduler in one process; nova-compute stays the stock command.

Each process of Nova takes well over 100 MB, too much for a machine of one compute host. Compute is kept apart, for it
must not see the database, and because it is the part that this project adds to.
"""

from __future__ import annotations

import sys


def main() -> None:
    import nova.cmd
    import nova.conf
    from nova import config, objects, service
    from nova.conductor import rpcapi as conductor_rpcapi
    from nova.scheduler import rpcapi as scheduler_rpcapi
    from oslo_log import log as logging
    from oslo_service import service as oslo_service

    sys.argv[0] = "nova-api"
    config.parse_args(sys.argv)
    logging.setup(nova.conf.CONF, "nova")
    objects.register_all()
    objects.Service.enable_min_version_cache()
    launcher = oslo_service.ServiceLauncher(nova.conf.CONF)
    for binary, topic in (
        ("nova-conductor", conductor_rpcapi.RPC_TOPIC),
        ("nova-scheduler", scheduler_rpcapi.RPC_TOPIC),
    ):
        launcher.launch_service(service.Service.create(binary=binary, topic=topic))
    launcher.launch_service(service.WSGIService("osapi_compute"))
    launcher.wait()


if __name__ == "__main__":
    main()

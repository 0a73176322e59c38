# SPDX-License-Identifier: Apache-2.0
"""As much of an engine's process as leases need: a program that tests start several times, and kill.

``hold URL SECONDS OPERATION CLUSTER...`` works on clusters until it is killed; ``watch URL SECONDS`` takes over what
is free; ``add URL KEY TIMES CLUSTER`` counts in the cluster's extra.
"""

from __future__ import annotations

from sahara.utils import patches

patches.patch_all()

import signal  # noqa: E402
import sys  # noqa: E402

import eventlet  # noqa: E402
from oslo_config import cfg  # noqa: E402
from oslo_db import options  # noqa: E402
from sahara import context  # noqa: E402
from sahara import main as sahara_main  # noqa: E402, F401 - registers Sahara's options
from sahara.service import api, ops  # noqa: E402

from sahara_docker import cluster_extra  # noqa: E402
from sahara_docker.engine import lease, recovery, takeover  # noqa: E402

_LONGEST = 300  # a killed test leaves no process behind for long


def hold(seconds: str, operation: str, *clusters: str) -> None:
    keeper = lease.Keeper(float(seconds))

    def work(cluster_id: str) -> None:
        keeper.begin(cluster_id, operation)
        print(f"holds {cluster_id}")
        try:
            eventlet.sleep(_LONGEST)
        except lease.OperationLost:
            print(f"lost {cluster_id}")
            raise

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    for cluster_id in clusters:
        context.spawn(f"work on {cluster_id}", work, cluster_id)
    eventlet.sleep(_LONGEST)


def watch(seconds: str) -> None:
    api.setup_api(ops.LocalOps())
    engine = type("Engine", (), {"get_type_and_version": lambda self: "docker.1.0"})()
    ops.setup_ops(engine)
    recover = recovery.Recovery(engine).recover

    def told(row: cluster_extra.Row, record: dict) -> None:
        print(f"takes {row.id}")
        recover(row, record)

    print("watches")
    takeover.Watch(lease.Keeper(float(seconds)), float(seconds), told).run()


def add(key: str, times: str, cluster_id: str) -> None:
    for _ in range(int(times)):
        cluster_extra.change(cluster_id, key, lambda now: (now or 0) + 1)
    print("done")


if __name__ == "__main__":
    what, url, *words = sys.argv[1:]
    cfg.CONF([], project="sahara", default_config_files=[])
    options.set_defaults(cfg.CONF)
    cfg.CONF.set_override("connection", url, "database")
    context.set_ctx(context.get_admin_context())
    {"hold": hold, "watch": watch, "add": add}[what](*words)

# SPDX-License-Identifier: Apache-2.0
"""The plug point ``sahara.remote``: set ``[DEFAULT] remote = docker`` in sahara.conf.

What is heavy (paramiko, requests, the engine) is imported when the engine's process sets the driver up.
"""

from __future__ import annotations

from typing import Any

from oslo_config import cfg
from sahara.utils import remote as sahara_remote

from sahara_docker import conf


class DockerRemoteDriver(sahara_remote.RemoteDriver):
    """Gives Sahara's engine and plugins one kept SSH connection a node.

    :ivar remotes: what it keeps, once it is set up.
    """

    def __init__(self) -> None:
        conf.register_sahara_opts(cfg.CONF)
        self.remotes: Any = None

    def get_type_and_version(self) -> str:
        return "docker.1.0"

    def setup_remote(self, engine: Any) -> None:
        """Called once by Sahara's engine process, after it has set up the stock Heat engine.

        Sahara 19 has no option for the engine, so ours takes the stock one's place here, through the same public call.
        """
        from sahara.service import ops

        from sahara_docker import cluster_extra
        from sahara_docker.engine import docker_engine
        from sahara_docker.ssh import remote

        cluster_extra.hide_values()
        self.remotes = remote.Remotes(cfg.CONF)
        ours = docker_engine.DockerEngine(self.remotes)
        ops.setup_ops(ours)
        ours.watch_for_dead_engines()

    def get_remote(self, instance: Any) -> Any:
        return self.remotes.remote(instance)

    def close(self) -> None:
        """Close every connection."""
        if self.remotes is not None:
            self.remotes.connections.close()

    def get_userdata_template(self) -> str:
        return ""

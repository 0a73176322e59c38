# SPDX-License-Identifier: Apache-2.0
"""Every option of the package; each plug point registers only its own group.

``[sahara_docker]`` goes into sahara.conf, ``[docker]`` into the nova.conf of a compute host.
"""

from __future__ import annotations

from oslo_config import cfg

SAHARA_GROUP = cfg.OptGroup("sahara_docker", title="Clusters on Docker containers")
NOVA_GROUP = cfg.OptGroup("docker", title="Docker compute driver")

SAHARA_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "ssh_password",
        secret=True,
        help="""
Password of the image's login user, for the first login to a node.

A container has no cloud-init that would install the cluster's public key, so the first login is by password. The user's
name is the one that the image was registered with. Left unset, only key login is tried.
""",
    ),
]

NOVA_OPTS: list[cfg.Opt] = [
    cfg.URIOpt(
        "host",
        schemes=["unix", "tcp", "http", "https"],
        default="unix:///var/run/docker.sock",
        help="""
Address of the Docker daemon that runs this host's instances.

The user of nova-compute needs access to it, which is equal to root on the host.
""",
    ),
]


def register_sahara_opts(conf: cfg.ConfigOpts) -> None:
    """Register ``[sahara_docker]`` on *conf*; harmless when it is there already."""
    conf.register_group(SAHARA_GROUP)
    conf.register_opts(SAHARA_OPTS, group=SAHARA_GROUP)


def register_nova_opts(conf: cfg.ConfigOpts) -> None:
    """Register ``[docker]`` on *conf*; harmless when it is there already."""
    conf.register_group(NOVA_GROUP)
    conf.register_opts(NOVA_OPTS, group=NOVA_GROUP)


def list_sahara_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """Options of the Sahara side, for oslo-config-generator."""
    return [(SAHARA_GROUP, SAHARA_OPTS)]


def list_nova_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """Options of the Nova side, for oslo-config-generator."""
    return [(NOVA_GROUP, NOVA_OPTS)]

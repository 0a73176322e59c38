# SPDX-License-Identifier: Apache-2.0
"""A process set up as sahara-engine is; it runs functions by request.

Everything is Sahara's own: the start-up, the threads, the database code. Only the database itself is SQLite in memory,
the message bus is silent, and Nova's answer to where an instance is comes from the request.
"""

from __future__ import annotations

from sahara.utils import patches

patches.patch_all()

import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
import types  # noqa: E402
import uuid  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from oslo_config import cfg  # noqa: E402
from sahara import conductor, context  # noqa: E402
from sahara import main as sahara_main  # noqa: E402
from sahara.db import api as database  # noqa: E402
from sahara.service import ops  # noqa: E402
from sahara.utils import cluster as sahara_cluster  # noqa: E402
from sahara.utils.openstack import nova  # noqa: E402

from benchmarks import clock, serving, stock  # noqa: E402

_ADDRESS = "http://127.0.0.1:5000"
_CATALOG = [{"type": "identity", "endpoints": [{"region": None, "publicURL": _ADDRESS, "internalURL": _ADDRESS}]}]
_CONFIGURATION = """\
[DEFAULT]
plugins = {plugin}
remote = {remote}
transport_url = fake://
log_file = {log}

[database]
connection = sqlite://

[trustee]
auth_url = {address}/v3
username = sahara
password = none
project_name = service
"""
_FLAVOURS = {"ours": ("cdh_docker", "docker"), "stock": ("cdh", "ssh")}
_places: dict[str, str] = {}


def start(flavour: str, directory: Path, log: Path) -> None:
    """Do what ``sahara-engine`` does until it would listen for work.

    :param flavour: ``ours`` or ``stock``.
    :param directory: gets the configuration file, and plays the directory that the program lies in.
    :param log: Sahara's log.
    """
    plugin, remote = _FLAVOURS[flavour]
    configuration = directory / "sahara.conf"
    configuration.write_text(_CONFIGURATION.format(plugin=plugin, remote=remote, log=log, address=_ADDRESS))
    sys.argv = [str(directory / "sahara-engine"), "--config-file", str(configuration)]
    sahara_main.setup_common(str(directory / "none"), "engine")
    sahara_main.setup_sahara_engine()
    database.setup_db()
    nova.get_instance_info = _server
    if flavour == "ours":
        cfg.CONF.set_override("ssh_password", os.environ["SAHARA_DOCKER_TEST_PASSWORD"], "sahara_docker")
    else:
        stock.write_child(directory)
        stock.let_hostname_pass()
    context.set_ctx(context.Context(username="bench", tenant_id="bench", service_catalog=json.dumps(_CATALOG)))


def _server(instance: Any) -> Any:
    address = {"addr": _places[instance.instance_id], "version": 4, "OS-EXT-IPS:type": "fixed"}
    return types.SimpleNamespace(addresses={"private": [address]})


def add_cluster(username: str, addresses: list[str], private_key: str, public_key: str) -> str:
    """Put a cluster into the database, as it is when Heat has made its servers.

    :returns: its id.
    """
    api, ctx = conductor.API, context.ctx()
    cluster = api.cluster_create(
        ctx,
        {
            "name": f"bench-{len(addresses)}",
            "plugin_name": "fake",
            "hadoop_version": "0.1",
            "neutron_management_network": str(uuid.uuid4()),
            "default_image_id": str(uuid.uuid4()),
            "node_groups": [
                {"name": "worker", "flavor_id": "1", "count": len(addresses), "node_processes": ["datanode"]}
            ],
        },
    )
    api.cluster_update(ctx, cluster, {"management_private_key": private_key, "management_public_key": public_key})
    (group,) = cluster.node_groups
    api.node_group_update(ctx, group, {"image_username": username})
    for number, address in enumerate(addresses):
        server = str(uuid.uuid4())
        _places[server] = address
        api.instance_add(ctx, group, {"instance_id": server, "instance_name": f"{cluster.name}-worker-{number}"})
    return cluster.id


def cluster(cluster_id: str) -> Any:
    """The cluster as the database has it now."""
    return conductor.API.cluster_get(context.ctx(), cluster_id)


def instances(cluster_id: str, start: int = 0, end: int | None = None) -> list[Any]:
    """The cluster's nodes, or some of them."""
    return sahara_cluster.get_instances(cluster(cluster_id))[start:end]


def log_in(cluster_id: str, start: int = 0, end: int | None = None) -> float:
    """The engine's step after Heat's work: wait until the nodes have addresses and a login works; seconds."""
    whole, some = cluster(cluster_id), instances(cluster_id, start, end)
    return clock.timed(lambda: ops.INFRA._await_networks(whole, some)).wall


def _prepare() -> None:
    flavour, directory, log = sys.argv[1:]
    start(flavour, Path(directory), Path(log))


if __name__ == "__main__":
    # Under its importable name, so that what benchmarks import from here is this module and not a second one.
    from benchmarks import engine_process

    serving.serve(engine_process._prepare)

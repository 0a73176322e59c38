# SPDX-License-Identifier: Apache-2.0
"""Which part of ours stands for which part of Sahara's remote and engine.

Stock's tests watch the child process, to which stock gives an address and what to log in with, and functions of modules
that ours does not have. Where that is all that they watch, ours is shown to them in the same shape here.
"""

from __future__ import annotations

import contextlib
import shlex
import types
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from oslo_config import cfg
from sahara.plugins import recommendations_utils
from sahara.service import engine as stock_engine
from sahara.service.edp.oozie import engine as stock_oozie
from sahara.service.heat import heat_engine as stock_heat_engine
from sahara.service.heat import templates as stock_templates
from sahara.utils import procutils, ssh_remote
from sahara.utils.openstack import heat

from sahara_docker import conf
from sahara_docker.engine import docker_engine, template
from sahara_docker.plugins.cdh_docker import sizing
from sahara_docker.ssh import command, remote, route
from tests.contract.stock import plugin_substitutes


def _like(module: types.ModuleType, **ours: Any) -> types.SimpleNamespace:
    return types.SimpleNamespace(**{**vars(module), **ours})


# The remote


def _remote(instance: Any) -> remote.NodeRemote:
    """A remote for the tests' stand-in of an instance, which lacks what Sahara's own always have."""
    conf.register_sahara_opts(cfg.CONF)
    group = instance.node_group
    group.is_proxy_gateway = False
    group.cluster.id, group.cluster.node_groups = "cluster", [group]
    remotes = remote.Remotes(cfg.CONF)
    remotes.logins.of = lambda one: route.Login(one.node_group.image_username, lambda known: ())
    return remotes.remote(instance)


class _AnyNode(remote.NodeRemote):
    """A remote whose distribution and commands are those that the tests give to stock's functions."""

    def __init__(self) -> None:
        self._remotes = types.SimpleNamespace(conf=cfg.CONF)

    def get_os_distrib(self, timeout: Any = None) -> str:
        return ssh_remote._get_os_distrib()


def _connect(node: Any, *_: Any) -> Any:
    """Show what ours connects with as stock's order to its child process."""
    gateway = node.gateway
    procutils.run_in_subprocess(
        42,
        ssh_remote._connect,
        (
            node.host,
            node.login.username,
            # What to log in with is proven on real nodes.
            mock.ANY,
            node.proxy_command and node.proxy_command(),
            gateway and gateway.host,
            gateway and gateway.login.username,
        ),
    )
    return mock.Mock(node=node, users=0, alive=True)


def _tunnel_adapter(dialler: Callable[[], str]) -> Any:
    """Show the command that ours connects through, which it asks for at the first request, as stock's adapter."""
    words = shlex.split(dialler())
    return ssh_remote.ProxiedHTTPAdapter(ssh_remote._simple_exec_func(words), words[-2], int(words[-1]))


@contextlib.contextmanager
def _remote_in_place() -> Iterator[None]:
    done = command.Outcome(0, b"", b"")
    with contextlib.ExitStack() as stack:
        for target, substitute in (
            ("connection.connect", _connect),
            ("command.execute", lambda *_: done),
            ("dial.through_command", lambda command_line: command_line),
            ("http._TunnelAdapter", _tunnel_adapter),
        ):
            stack.enter_context(mock.patch(f"sahara_docker.ssh.{target}", substitute))
        yield


# The engine


class _Engine(docker_engine.DockerEngine):
    """Ours for clusters that are in no database, where it keeps its leases."""

    def __init__(self) -> None:
        super().__init__()
        self._keeper = mock.Mock(**{"begin.return_value": None})


@contextlib.contextmanager
def _engine_in_place() -> Iterator[None]:
    def delete(cluster: Any, report: Any, wait: bool = True, coming: float = 0) -> None:
        (heat.delete_stack if wait else heat.lazy_delete_stack)(cluster)

    with contextlib.ExitStack() as stack:
        for target, substitute in (
            ("sahara_docker.engine.stack.delete", delete),
            ("sahara_docker.engine.docker_engine.conductor", mock.Mock()),
            ("sahara_docker.engine.scaling.has_stack", lambda cluster: True),
            ("sahara_docker.engine.credentials.remove", lambda cluster: None),
            ("sahara.utils.cluster.get_instances", lambda cluster: []),
        ):
            stack.enter_context(mock.patch(target, substitute))
        yield


def _template(cluster: Any) -> template.FlatTemplate:
    nobody = {group.id: [] for group in cluster.node_groups}
    return template.FlatTemplate(cluster, nobody, lambda group: "")


# The plugin's parts that are subclasses of Sahara's


class _Sizing(sizing.AutoConfiguration):
    def __init__(self, schema: Any, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.node_configs_to_update = schema.get("node_configs", {})
        self.cluster_configs_to_update = schema.get("cluster_configs", {})

    # Ours marks the cluster in the database, which the tests' clusters are not in.
    finalize_autoconfiguration = recommendations_utils.HadoopAutoConfigsProvider.finalize_autoconfiguration


def of_sahara() -> dict[str, tuple[dict[str, Any], Any]]:
    """Substitutes while a test module is loaded, and what is in place while its tests run, by test module."""
    oozie = plugin_substitutes.handler("5.13.0").edp_engine.EdpOozieEngine
    bad_systems = {
        "_install_packages": lambda packages: _AnyNode().install_packages(packages),
        "_update_repository": lambda: _AnyNode().update_repository(),
    }
    tests = "sahara.tests.unit"
    return {
        f"{tests}.utils.test_ssh_remote": (
            {"sahara.utils.ssh_remote": _like(ssh_remote, InstanceInteropHelper=_remote, **bad_systems)},
            _remote_in_place,
        ),
        f"{tests}.service.test_engine": (
            {
                "sahara.service.engine": _like(stock_engine, Engine=_Engine),
                "sahara.service.heat.heat_engine": _like(stock_heat_engine, HeatEngine=_Engine),
            },
            _engine_in_place,
        ),
        f"{tests}.service.heat.test_templates": (
            {"sahara.service.heat.templates": _like(stock_templates, ClusterStack=_template)},
            contextlib.nullcontext,
        ),
        f"{tests}.service.edp.oozie.test_oozie": (
            {"sahara.service.edp.oozie.engine": _like(stock_oozie, OozieJobEngine=oozie)},
            plugin_substitutes.jobs_of_mocks,
        ),
        f"{tests}.plugins.test_provide_recommendations": (
            {"sahara.plugins.recommendations_utils": _like(recommendations_utils, HadoopAutoConfigsProvider=_Sizing)},
            contextlib.nullcontext,
        ),
    }

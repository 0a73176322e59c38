# SPDX-License-Identifier: Apache-2.0
"""Which part of ours stands for which module of the stock CDH plugin."""

from __future__ import annotations

import contextlib
import copy
import functools
import types
from typing import Any
from unittest import mock

from sahara_plugin_cdh.plugins.cdh import health as stock_health

from sahara_docker.plugins.cdh_docker import cloudera, health, provider, topology, versions

PLUGIN = "sahara_plugin_cdh.plugins.cdh"
VERSIONS = [version.number for version in versions.VERSIONS]


@functools.lru_cache(maxsize=None)
def handler(number: str) -> Any:
    """Our handler of one version, made before anything is substituted."""
    return versions.VersionFactory().get_version_handler(number)


def of_version(number: str) -> dict[str, Any]:
    """Substitutes for the modules of one version."""
    ours = copy.copy(handler(number))
    plugin_utils = _without_arguments(type(ours.plugin_utils), ours.config_helper)
    ours.plugin_utils = plugin_utils()
    ours.cloudera_utils = type(ours.cloudera_utils)(ours.plugin_utils)
    package = f"{PLUGIN}.v{number.replace('.', '_')}"
    suffix = f"V{number.replace('.', '')}"
    return {
        f"{package}.cloudera_utils": types.SimpleNamespace(**{f"ClouderaUtils{suffix}": type(ours.cloudera_utils)}),
        f"{package}.config_helper": types.SimpleNamespace(**{f"ConfigHelper{suffix}": type(ours.config_helper)}),
        f"{package}.deploy": ours.deploy,
        f"{package}.edp_engine": ours.edp_engine,
        f"{package}.plugin_utils": types.SimpleNamespace(**{f"PluginUtils{suffix}": plugin_utils}),
        f"{package}.validation": types.SimpleNamespace(**{f"Validator{suffix}": ours.validation}),
        f"{package}.versionhandler": types.SimpleNamespace(VersionHandler=lambda: copy.copy(ours)),
    }


def of_all_versions(number: str) -> dict[str, dict[str, Any]]:
    """Substitutes for a module that the versions share, with one version's parts in it, by the module of its tests."""
    ours = handler(number)
    factory = types.SimpleNamespace(get_instance=versions.VersionFactory)
    return {
        "test_cloudera_utils": {
            f"{PLUGIN}.cloudera_utils": types.SimpleNamespace(
                ClouderaUtils=_without_arguments(_Services, ours.plugin_utils)
            )
        },
        "test_health": {f"{PLUGIN}.health": types.SimpleNamespace(**{**vars(stock_health), **vars(health)})},
        "test_utils": {f"{PLUGIN}.plugin_utils": types.SimpleNamespace(AbstractPluginUtils=lambda: ours.plugin_utils)},
        "test_versionfactory": {f"{PLUGIN}.versionfactory": types.SimpleNamespace(VersionFactory=factory)},
    }


@contextlib.contextmanager
def as_plugin_cdh() -> Any:
    """Have Sahara load our provider for the entry point ``cdh``."""

    class Provider(provider.CDHDockerPluginProvider):
        def _get_version_handler(self, number: str) -> Any:
            return handler(number)

    with mock.patch(f"{PLUGIN}.plugin.CDHPluginProvider", Provider):
        yield


@contextlib.contextmanager
def jobs_of_mocks() -> Any:
    """Leave jobs' workflows as they are, for tests whose jobs are Mocks: no XML to read, no values to check."""
    ours = "sahara_docker.plugins.cdh_docker.workflow"
    with mock.patch(f"{ours}.exact", lambda text: (text, None)), mock.patch(f"{ours}.unfit", lambda *_: []):
        yield


class _Services(cloudera.Cloudera):
    """Stock's question for the service of a role, answered from our table."""

    def get_cloudera_cluster(self, cluster: Any) -> Any:
        raise NotImplementedError("the tests replace it")

    def get_service_by_role(self, role: str, cluster: Any = None, instance: Any = None) -> Any:
        if not cluster and not instance:
            raise ValueError("neither a cluster nor an instance")
        name = topology.service_of(role).name
        return self.get_cloudera_cluster(cluster or instance.cluster).get_service(name)


def _without_arguments(base: type, *arguments: Any) -> Any:
    """*base* with a constructor as stock's, which takes no argument."""
    return type(base.__name__, (base,), {"__init__": lambda self: base.__init__(self, *arguments)})

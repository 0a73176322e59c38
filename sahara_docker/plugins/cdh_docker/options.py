# SPDX-License-Identifier: Apache-2.0
"""What a user can set for a cluster: the stock plugin's options with other defaults, and a few more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sahara.plugins import provisioning
from sahara_plugin_cdh.plugins.cdh import config_helper as stock

from sahara_docker.plugins.cdh_docker import storage, user_values

_GENERAL: dict[str, Any] = {"applicable_target": "general", "scope": "cluster", "is_optional": True}


def _seconds(name: str, default: int, description: str) -> provisioning.Config:
    return provisioning.Config(
        name, config_type="int", priority=1, default_value=default, description=description, **_GENERAL
    )


# The first two keep the stock plugin's names, so that its templates keep their meaning.
AWAIT_MANAGER_STARTING_TIMEOUT = _seconds(
    "Timeout for Cloudera Manager starting", 900, "Seconds until Cloudera Manager's API has to answer"
)
AWAIT_AGENTS_TIMEOUT = _seconds(
    "Await Cloudera agents timeout", 900, "Seconds until every node's agent has to be known to Cloudera Manager"
)
COMMAND_TIMEOUT = _seconds(
    "Timeout for Cloudera Manager commands",
    1800,
    "Seconds that one command of Cloudera Manager may take, such as the first start of all services",
)
AGENT_START_ATTEMPTS = provisioning.Config(
    "Cloudera agent start attempts",
    config_type="int",
    priority=2,
    default_value=5,
    description="How often a node's agent is started before the cluster is given up",
    **_GENERAL,
)
ENABLE_SWIFT = provisioning.Config(
    "Enable Swift",
    config_type="bool",
    priority=1,
    default_value=False,
    description="Bring Hadoop's Swift library to the nodes; needs the library's address to be reachable from them",
    **_GENERAL,
)
SWIFT_LIBRARY = stock.ConfigHelper.SWIFT_LIB_URL.name


def _swift_library(address: str) -> provisioning.Config:
    """The option for the library's address; its default differs between the versions of CDH."""
    return provisioning.Config(
        SWIFT_LIBRARY,
        priority=1,
        default_value=address,
        description="Where the nodes fetch Hadoop's Swift library, when Swift is enabled and their image does not have "
        "it; empty for an image that has it",
        **_GENERAL,
    )


HTTP_PROXY = provisioning.Config(
    "HTTP proxy",
    priority=2,
    default_value="",
    description="Address of the proxy for http, such as http://proxy.example.org:3128; brought to every node",
    **_GENERAL,
)
HTTPS_PROXY = provisioning.Config(
    "HTTPS proxy",
    priority=2,
    default_value="",
    description="Address of the proxy for https; the http proxy when only that is set",
    **_GENERAL,
)
NO_PROXY = provisioning.Config(
    "No proxy",
    priority=2,
    default_value="",
    description="Comma-separated hosts, domains and networks to reach directly; the cluster's nodes are always added",
    **_GENERAL,
)

_OWN = {
    config.name: config
    for config in (
        AWAIT_MANAGER_STARTING_TIMEOUT,
        AWAIT_AGENTS_TIMEOUT,
        COMMAND_TIMEOUT,
        AGENT_START_ATTEMPTS,
        ENABLE_SWIFT,
        HTTP_PROXY,
        HTTPS_PROXY,
        NO_PROXY,
    )
}


def value(cluster: Any, config: provisioning.Config) -> Any:
    """Return a cluster's value of one of this module's options."""
    return cluster.cluster_configs.get("general", {}).get(config.name, config.default_value)


def is_swift_enabled(cluster: Any) -> bool:
    """Tell whether a cluster's nodes get Hadoop's library for Swift."""
    return bool(value(cluster, ENABLE_SWIFT))


def swift_library_address(cluster: Any, default: str) -> str:
    """Return where the nodes fetch Hadoop's library for Swift; empty when only their image may have it.

    :param default: of the cluster's version.
    """
    return cluster.cluster_configs.get("general", {}).get(SWIFT_LIBRARY, default) or ""


def check(cluster: Any) -> None:
    """Check the numbers among a cluster's options.

    :raises InvalidConfig: for one that is no positive whole number.
    """
    for config in (AWAIT_MANAGER_STARTING_TIMEOUT, AWAIT_AGENTS_TIMEOUT, COMMAND_TIMEOUT, AGENT_START_ATTEMPTS):
        user_values.check_number(f'"{config.name}"', value(cluster, config), least=1)


def _with_small_reserve(config: provisioning.Config) -> provisioning.Config:
    return provisioning.Config(
        config.name,
        config.applicable_target,
        config.scope,
        config_type=config.config_type,
        default_value=str(storage.SHOWN_DEFAULT),
        is_optional=config.is_optional,
        priority=config.priority,
        description=(
            f"{config.description} When not set, each node reserves {storage.SHARE:.0%} of its own data volume, "
            f"at most {storage.MOST_RESERVED // storage.GIB} GiB."
        ),
    )


class OptionsMixin:
    """Goes before a stock ``ConfigHelper`` class of one version.

    The stock class is a singleton whose constructor does nothing the second time, also for a subclass, which would
    leave that one without options. This takes over the stock instance's options instead; ``stock_class`` is that class.
    """

    stock_class: Callable[[], Any]
    DEFAULT_SWIFT_LIB_URL: str

    AWAIT_MANAGER_STARTING_TIMEOUT = AWAIT_MANAGER_STARTING_TIMEOUT
    AWAIT_AGENTS_TIMEOUT = AWAIT_AGENTS_TIMEOUT
    ENABLE_SWIFT = ENABLE_SWIFT

    def __new__(cls) -> OptionsMixin:
        return object.__new__(cls)

    def __init__(self) -> None:
        vars(self).update(vars(self.stock_class()))
        self.SWIFT_LIB_URL = _swift_library(self.DEFAULT_SWIFT_LIB_URL)
        self.ng_plugin_configs = [
            _with_small_reserve(config) if config.name == storage.RESERVED else config
            for config in self.ng_plugin_configs  # type: ignore[has-type]
        ]

    def _get_cluster_plugin_configs(self) -> list[provisioning.Config]:
        stock = super()._get_cluster_plugin_configs()  # type: ignore[misc]
        return [config for config in stock if config.name not in _OWN] + list(_OWN.values())

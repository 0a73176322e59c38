# SPDX-License-Identifier: Apache-2.0
"""Health checks of a cluster: Cloudera Manager's own verdicts.

The stock checks apply only to clusters whose plugin is called ``cdh``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from sahara_plugin_cdh.plugins.cdh import health as stock

from sahara_docker.plugins.cdh_docker import topology


class ClouderaManagerHealthCheck(stock.ClouderaManagerHealthCheck):
    """Does Cloudera Manager answer."""

    def is_available(self) -> bool:
        """Apply to every cluster that this plugin made."""
        return True


class ServiceHealthCheck(stock.ServiceHealthCheck):
    """What Cloudera Manager thinks of one service."""

    def is_available(self) -> bool:
        """Apply to every cluster that this plugin made."""
        return True


def checks_of(cluster: Any, cloudera: Any) -> list[Callable[[Any], Any]]:
    """Return constructors of a cluster's health checks, as Sahara wants them.

    A service in which the cluster has no role is left out, as YARN in one for storage alone: Cloudera Manager knows no
    health of it, which the stock check takes for the worst.

    :param cloudera: a :class:`cloudera.Cloudera`.
    """
    provider = stock.HealthStatusProvider(cluster, cloudera)
    checks: list[Callable[[Any], Any]] = [functools.partial(ClouderaManagerHealthCheck, provider=provider)]
    processes = {process for group in cluster.node_groups for process in group.node_processes}
    idle = topology.idle_services(processes)
    for service in (name for name in provider.get_cluster_services() if name not in idle):
        checks.append(functools.partial(ServiceHealthCheck, provider=provider, service=service))
    return checks

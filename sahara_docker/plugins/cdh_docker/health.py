# SPDX-License-Identifier: Apache-2.0
"""Health checks of a cluster: Cloudera Manager's own verdicts.

The stock checks apply only to clusters whose plugin is called ``cdh``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from sahara_plugin_cdh.plugins.cdh import health as stock


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

    :param cloudera: a :class:`cloudera.Cloudera`.
    """
    provider = stock.HealthStatusProvider(cluster, cloudera)
    checks: list[Callable[[Any], Any]] = [functools.partial(ClouderaManagerHealthCheck, provider=provider)]
    for service in provider.get_cluster_services():
        checks.append(functools.partial(ServiceHealthCheck, provider=provider, service=service))
    return checks

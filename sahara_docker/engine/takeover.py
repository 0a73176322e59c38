# SPDX-License-Identifier: Apache-2.0
"""Finds clusters on which nobody works although their status says so, and takes each over exactly once.

A lease of a process on this machine that has ended is free at once. Any other is free when its counter has stood still
for the time of a lease on this process's own monotonic clock. A cluster whose status no lease explains was asked for
by an API request: its message may still be on its way to an engine, so besides that time a question sent down the same
queue must have come through. What remains: an engine with more requests than it has threads (64, oslo.messaging's
``executor_thread_pool_size``) holds some that it has fetched and not begun; such a cluster may show a lost request for
a while, and then the request goes on as if nothing had been.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import eventlet
import oslo_messaging
from oslo_log import log as logging
from sahara import conductor, context
from sahara import exceptions as sahara_exceptions
from sahara.service import api
from sahara.utils import cluster as sahara_cluster

from sahara_docker import cluster_extra
from sahara_docker.engine import lease, process

LOG = logging.getLogger(__name__)

_SCANS_A_LEASE = 12


class Watch:
    """Looks at all clusters now and then.

    :param keeper: this process's leases.
    :param lease_time: seconds without a sign of life after which a lease is free.
    :param recover: does what there is to do, in the thread that has got the lease; called with the row that was seen
        and with the new lease.
    """

    def __init__(
        self,
        keeper: lease.Keeper,
        lease_time: float,
        recover: Callable[[cluster_extra.Row, dict[str, Any]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keeper = keeper
        self._lease_time = lease_time
        self._recover = recover
        self._clock = clock
        self._seen: dict[str, tuple[cluster_extra.Row, float]] = {}
        self._taking: set[str] = set()

    def run(self) -> None:
        """Scan for ever."""
        passed_over: tuple[str, ...] = ()
        while True:
            try:
                self.scan(passed_over)
                passed_over = lease.SETTLED
            except Exception as failure:
                LOG.warning("Looking for clusters whose engine has ended failed: %s", failure)
            eventlet.sleep(self._lease_time / _SCANS_A_LEASE)

    def scan(self, passed_over: tuple[str, ...] = lease.SETTLED) -> list[Any]:
        """Look once and start to take over what is free; the threads that do it.

        :param passed_over: statuses that are not looked at. A settled cluster can have jobs that a dead operation was
            to start, which one look at the start of an engine finds.
        """
        now = self._clock()
        rows = cluster_extra.survey(lease.KEY, passed_over)
        self._seen = {row.id: self._since(row, now) for row in rows}
        started = []
        for row in rows:
            if row.id not in self._taking and self._is_free(row, now - self._seen[row.id][1]):
                self._taking.add(row.id)
                started.append(eventlet.spawn(self._take, row))
        return started

    def _since(self, row: cluster_extra.Row, now: float) -> tuple[cluster_extra.Row, float]:
        before = self._seen.get(row.id)
        return before if before and before[0] == row else (row, now)

    def _is_free(self, row: cluster_extra.Row, unchanged: float) -> bool:
        record = row.value
        if row.status in lease.SETTLED:
            return record is not None and record["state"] == lease.HELD and process.is_gone(record["process"])
        if lease.covers(record, row.status):
            if record["state"] == lease.GIVEN_UP:
                return unchanged >= record["details"].get("pause", 0)
            if process.is_gone(record["process"]):
                return True
        return unchanged >= self._lease_time

    def _take(self, row: cluster_extra.Row) -> None:
        context.set_ctx(context.get_admin_context())
        try:
            known = row.status in lease.SETTLED or lease.covers(row.value, row.status)
            if not known:
                _await_queue()
            details = dict(row.value["details"]) if known else {}
            details["attempts"] = details.get("attempts", 0) + 1
            details["pause"] = details["attempts"] * self._lease_time
            operation = row.value["operation"] if known else _requested(row)
            record = self._keeper.take_over(row.id, row.value, operation, details)
            LOG.warning("Taking over cluster %s: it is %s, and nobody works on it", row.id, row.status)
            self._recover(row, record)
        except (lease.Superseded, sahara_exceptions.NotFoundException):
            LOG.debug("Cluster %s has been taken care of by others", row.id)
        except oslo_messaging.MessagingTimeout:
            LOG.debug("Requests to the engines are still under way; cluster %s is looked at again", row.id)
        except lease.OperationLost as loss:
            LOG.info("Cluster %s is not taken on: %s", row.id, loss)
        except Exception:
            LOG.exception("Taking over cluster %s failed", row.id)
        finally:
            self._taking.discard(row.id)
            context.set_ctx(None)


def _await_queue() -> None:
    """Return when the requests that were sent before now have come to an engine: each queue keeps its order.

    :raises MessagingTimeout: when they have not; the next scan tries again.
    """
    api.OPS.get_engine_type_and_version()


def _requested(row: cluster_extra.Row) -> str:
    """The operation that a cluster's status speaks of when no lease does."""
    if row.status == sahara_cluster.CLUSTER_STATUS_DELETING:
        return lease.DELETE
    if row.status.startswith((sahara_cluster.CLUSTER_STATUS_DECOMMISSIONING, sahara_cluster.CLUSTER_STATUS_SCALING)):
        return lease.SCALE
    # Sahara's engine writes this with the first thing that it does for a new cluster.
    cluster = conductor.API.cluster_get(context.ctx(), row.id)
    return lease.SCALE if row.status in lease.REQUESTED and cluster and cluster.sahara_info else lease.CREATE

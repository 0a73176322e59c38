# SPDX-License-Identifier: Apache-2.0
"""Which operation of which engine process works on a cluster, kept with the cluster and renewed while it works.

A lease is a claim, not a lock: the newest operation has it, as a deletion takes a cluster away from its creation. Its
counter lets others see that the owner lives without comparing clocks. An operation that has lost its lease is stopped,
since somebody else has decided about its cluster.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import gc
import os
import weakref
from typing import Any

import eventlet
from eventlet import queue
from oslo_log import log as logging
from oslo_utils import timeutils, uuidutils
from sahara import conductor, context
from sahara import exceptions as sahara_exceptions
from sahara.utils import cluster as sahara_cluster

from sahara_docker import cluster_extra
from sahara_docker.engine import process

LOG = logging.getLogger(__name__)

#: The record's key in ``cluster_extra``. It holds ``id``, ``operation``, ``state``, ``beat`` (the counter), ``began``
#: (for people), ``process`` and ``details``.
KEY = "lease"
#: States of a lease: its operation is under way; stopped in the middle; has come to its end.
HELD, GIVEN_UP, OVER = "held", "given up", "over"
CREATE, SCALE, DELETE = "create", "scale", "delete"
#: Statuses in which no operation is under way.
SETTLED = (
    sahara_cluster.CLUSTER_STATUS_ACTIVE,
    sahara_cluster.CLUSTER_STATUS_ERROR,
    # Waits for a user to delete it: it has no trust.
    sahara_cluster.CLUSTER_STATUS_AWAITINGTERMINATION,
)
#: Statuses that Sahara's API sets when it takes a request, before an engine knows of it.
REQUESTED = ("", "undefined", sahara_cluster.CLUSTER_STATUS_VALIDATING)
_BEATS_A_LEASE = 6
_AT_EXIT = 5.0


class Superseded(Exception):
    """A lease is not any more what it was when it was looked at."""


class OperationLost(BaseException):
    """Stops an operation whose cluster another one has taken over.

    Not an ``Exception``: Sahara's handlers of these write the cluster's status, which is not theirs any more.
    """


@dataclasses.dataclass(eq=False)
class _Held:
    cluster_id: str
    record: dict[str, Any]
    thread: Any
    request: weakref.ref

    def is_over(self) -> bool:
        """Whether the operation's thread has ended or works for another request: its context is gone then."""
        return self.thread.dead or self.request() is None


class Keeper:
    """The leases of this process.

    :param lease_time: seconds without a sign of life after which others may take a lease over.
    :ivar pause: seconds between two signs of life, and so until an operation notices that it has lost its lease.
    """

    def __init__(self, lease_time: float) -> None:
        self.pause = lease_time / _BEATS_A_LEASE
        self._forget_all()
        atexit.register(self._at_exit)

    def _forget_all(self) -> None:
        self._pid = os.getpid()
        self._held: dict[str, _Held] = {}
        self._ended: queue.LightQueue = queue.LightQueue()
        self._thread: Any = None

    def begin(self, cluster_id: str, operation: str, **details: Any) -> dict[str, Any] | None:
        """Take the lease of a cluster for the calling thread's operation, whoever has it.

        A step of an operation that has the lease already only adds its *details*.

        :param details: what somebody who takes the operation over has to know.
        :returns: the lease that was there, of another operation; None when there was none.
        :raises NotFoundException: when the cluster is gone.
        """
        before = self._mine(cluster_id)
        if before and before.request() is context.ctx():
            self.note(cluster_id, **details)
            return None
        new = self._hold(cluster_id, operation, details)
        superseded: dict[str, Any] | None = None

        def replaced(now: Any) -> dict[str, Any]:
            nonlocal superseded
            superseded = now
            return dict(new.record)

        cluster_extra.change(cluster_id, KEY, replaced)
        self._keep(new)
        if before:
            _stop(before, f"{operation} has begun")
        return superseded

    def take_over(
        self, cluster_id: str, seen: dict[str, Any] | None, operation: str, details: dict[str, Any]
    ) -> dict[str, Any]:
        """Take the lease of a cluster for the calling thread if it still is what it was *seen* to be.

        :returns: the new lease.
        :raises Superseded: when it is not: its owner lives, or another has taken it over.
        :raises NotFoundException: when the cluster is gone.
        """
        new = self._hold(cluster_id, operation, details)

        def replaced(now: Any) -> dict[str, Any]:
            if now != seen:
                raise Superseded(cluster_id)
            return dict(new.record)

        cluster_extra.change(cluster_id, KEY, replaced)
        self._keep(new)
        return new.record

    def note(self, cluster_id: str, **details: Any) -> None:
        """Add *details* to the lease of the calling thread's operation; without a lease, nothing.

        :raises OperationLost: when another operation has the lease.
        """
        held = self._mine(cluster_id)
        if held:
            held.record["details"] = {**held.record["details"], **details}
            self._write(held)

    def check(self, cluster_id: str) -> None:
        """Make sure that the cluster is still this operation's before something is changed that cannot be undone.

        :raises OperationLost: when it is not.
        """
        self.note(cluster_id)

    def _mine(self, cluster_id: str) -> _Held | None:
        if os.getpid() != self._pid:  # a fork has neither the operations nor the threads of its parent
            self._forget_all()
        return self._held.get(cluster_id)

    def _hold(self, cluster_id: str, operation: str, details: dict[str, Any]) -> _Held:
        record = {
            "id": uuidutils.generate_uuid(),
            "operation": operation,
            "state": HELD,
            "beat": 0,
            "began": timeutils.utcnow().isoformat(timespec="seconds"),
            "process": process.own(),
            "details": details,
        }
        self._mine(cluster_id)
        ended = self._ended
        request = weakref.ref(context.ctx(), lambda _: ended.put_nowait(None))
        return _Held(cluster_id, record, eventlet.getcurrent(), request)

    def _keep(self, held: _Held) -> None:
        self._held[held.cluster_id] = held
        if self._thread is None or self._thread.dead:
            self._thread = eventlet.spawn(self._renew_all)

    def _renew_all(self) -> None:
        while self._held:
            with contextlib.suppress(queue.Empty):
                self._ended.get(timeout=self.pause)
            for held in list(self._held.values()):
                if self._held.get(held.cluster_id) is held:
                    self._renew(held)

    def _renew(self, held: _Held) -> None:
        try:
            over = held.is_over()
            if over:
                held.record["state"] = _state_at_the_end(held)
            held.record["beat"] += 1
            self._write(held)
            if over:
                self._drop(held)
        except sahara_exceptions.NotFoundException:
            self._drop(held)
        except OperationLost as loss:
            self._drop(held)
            _stop(held, str(loss))
        except Exception as failure:
            # The database is away; others do not see our signs of life meanwhile, nor can they take over without it.
            LOG.warning("The lease of cluster %s could not be renewed: %s", held.cluster_id, failure)

    def _write(self, held: _Held) -> None:
        def renewed(now: Any) -> dict[str, Any]:
            # None: a writer that does not know of us has written back an older extra.
            if now is not None and now["id"] != held.record["id"]:
                owner = process.text(now["process"])
                raise OperationLost(f"{owner} has taken cluster {held.cluster_id} over to {now['operation']} it")
            return dict(held.record)

        cluster_extra.change(held.cluster_id, KEY, renewed)

    def _drop(self, held: _Held) -> None:
        if self._held.get(held.cluster_id) is held:
            del self._held[held.cluster_id]

    def _at_exit(self) -> None:
        """Tell other engines at once that nobody works on our clusters any more.

        For an engine that is one process. A kill they find out themselves, and so they do an ordinary stop of a worker
        that oslo.service has forked, as sahara-engine is one: it leaves by ``os._exit``.
        """
        if os.getpid() != self._pid:
            return
        with contextlib.suppress(Exception, OperationLost, eventlet.Timeout), eventlet.Timeout(_AT_EXIT):
            for held in list(self._held.values()):
                held.record["state"] = _state_at_the_end(held)
                self._write(held)


def details_of(cluster: Any) -> dict[str, Any]:
    """The details of the operation that has, or had last, the lease of *cluster*."""
    return (cluster_extra.read(cluster, KEY) or {}).get("details") or {}


def covers(record: dict[str, Any] | None, status: str) -> bool:
    """Whether the operation of a lease is what a cluster's *status* is about, not a request that came after it."""
    if record is None or record["state"] == OVER or status in REQUESTED:
        return False
    return status != sahara_cluster.CLUSTER_STATUS_DELETING or record["operation"] == DELETE


def _state_at_the_end(held: _Held) -> str:
    cluster = conductor.API.cluster_get(context.get_admin_context(), held.cluster_id)
    if cluster is None or cluster.status in SETTLED or not covers(held.record, cluster.status):
        return OVER
    return GIVEN_UP


def _stop(held: _Held, why: str) -> None:
    if held.is_over() or held.thread is eventlet.getcurrent():  # this thread has begun another request since
        return
    gc.collect()  # a stack trace that refers to itself keeps the context of an operation that is over
    if held.is_over():
        return
    LOG.warning("Stopping to %s cluster %s: %s", held.record["operation"], held.cluster_id, why)
    eventlet.kill(held.thread, OperationLost(why))

# SPDX-License-Identifier: Apache-2.0
"""What becomes of a cluster whose operation has died with its engine.

A creation ends in Error, with the nodes that it has made left for a look; a deletion is taken on to its end; a scaling
loses its new nodes again and leaves the cluster Active. Whatever happens, the cluster can be deleted afterwards.
"""

from __future__ import annotations

import datetime
from typing import Any

from oslo_log import log as logging
from sahara import conductor, context
from sahara import exceptions as sahara_exceptions
from sahara.plugins import base as plugin_base
from sahara.service import trusts
from sahara.service.edp import job_manager
from sahara.utils import cluster as sahara_cluster
from sahara.utils import edp

from sahara_docker import cluster_extra, exceptions
from sahara_docker.engine import lease, process, scaling

LOG = logging.getLogger(__name__)

_DELETION_ATTEMPTS = 3


class EngineEnded(exceptions.SaharaDockerError):
    """An operation ended with the process that worked on it."""


class Recovery:
    """Brings clusters to an end that their users can go on from.

    :param engine: the infrastructure engine.
    """

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def recover(self, row: cluster_extra.Row, record: dict[str, Any]) -> None:
        """Do what there is to do for the cluster of *row*.

        :param record: this process's lease of the cluster, with the details of the dead operation.
        """
        cluster = conductor.API.cluster_get(context.ctx(), row.id)
        if cluster is None:
            return
        reason = _reason(row, record)
        if cluster.status == sahara_cluster.CLUSTER_STATUS_DELETING:
            self._delete(cluster, record["details"])
        elif cluster.status in lease.SETTLED:
            _fail_pending_jobs(cluster)
        elif record["operation"] == lease.SCALE:
            self._undo_scaling(cluster, reason)
        else:
            _fail_pending_jobs(cluster)
            _settle(cluster, sahara_cluster.CLUSTER_STATUS_ERROR, f"{reason}; delete the cluster and make it anew")

    def _undo_scaling(self, cluster: Any, reason: EngineEnded) -> None:
        began = "first_new" in lease.details_of(cluster)
        decommissioning = cluster.status == sahara_cluster.CLUSTER_STATUS_DECOMMISSIONING
        try:
            if began:
                trusts.use_os_admin_auth_token(cluster)
                text = self._remove_new_nodes(cluster, reason)
            else:
                sahara_cluster.clean_cluster_from_empty_ng(cluster)
                text = f"{reason}; no node was added"
        except Exception as failure:
            LOG.exception("Undoing the scaling of cluster %s failed", cluster.name)
            _settle(cluster, sahara_cluster.CLUSTER_STATUS_ERROR, f"{reason}; then: {failure}; delete the cluster")
            return
        if decommissioning:
            text += "; nodes that were to leave may be out of service: remove them by scaling down again"
        _settle(cluster, sahara_cluster.CLUSTER_STATUS_ACTIVE, text)

    def _remove_new_nodes(self, cluster: Any, reason: EngineEnded) -> str:
        """Remove the nodes that a scaling has added, when the plugin can spare them; the outcome in words.

        :raises UndoFailed: when they cannot be removed.
        """
        forget = getattr(plugin_base.PLUGINS.get_plugin(cluster.plugin_name), "forget_nodes", None)
        new = scaling.new_instances(cluster, lease.details_of(cluster))
        if forget and new:
            try:
                forget(cluster, new)
            except exceptions.SaharaDockerError as refusal:
                LOG.warning("The new nodes of cluster %s stay: %s", cluster.name, refusal)
                return f"{reason}; its new nodes stay: {refusal}; remove them by scaling down"
        outcome = self._engine.undo_scaling(cluster.id, reason)
        if isinstance(outcome, scaling.UndoFailed):
            raise outcome
        return str(outcome)

    def _delete(self, cluster: Any, details: dict[str, Any]) -> None:
        """As Sahara's own operation deletes, but for steps that were done already.

        Sahara's swallows every failure and leaves the cluster Deleting for ever.
        """
        ctx = context.ctx()
        try:
            if not details.get("emptied") and (cluster.trust_id or scaling.has_stack(cluster)):
                trusts.use_os_admin_auth_token(cluster)
                _note_ended_jobs(cluster)
                plugin_base.PLUGINS.get_plugin(cluster.plugin_name).on_terminate_cluster(cluster)
                self._engine.shutdown_cluster(cluster)
            _delete_trust(cluster)
            conductor.API.cluster_destroy(ctx, cluster)
        except sahara_exceptions.NotFoundException:
            if conductor.API.cluster_get(ctx, cluster.id) is None:
                return  # somebody else has done it
            raise
        except Exception as failure:
            if details["attempts"] < _DELETION_ATTEMPTS:
                raise  # the lease is given up, and taken again after a while
            text = f"Deleting failed {details['attempts']} times, at last with: {failure}; delete the cluster again"
            # Sahara's own function never changes the status Deleting.
            values = {"status": sahara_cluster.CLUSTER_STATUS_ERROR, "status_description": text}
            conductor.API.cluster_update(ctx, cluster, values)
            raise


def _reason(row: cluster_extra.Row, record: dict[str, Any]) -> EngineEnded:
    before = row.value
    if before is None or not lease.covers(before, row.status):
        return EngineEnded(f"No engine works on the request to {record['operation']} the cluster ({row.status})")
    return EngineEnded(
        f"The engine on {process.text(before['process'])} ended while the cluster was {row.status}",
        observed=f"{before['operation']} begun at {before['began']} UTC",
    )


def _settle(cluster: Any, status: str, text: str) -> None:
    LOG.warning("Cluster %s is set to %s: %s", cluster.name, status, text)
    sahara_cluster.change_cluster_status(cluster, status, text)


def _fail_pending_jobs(cluster: Any) -> None:
    """End the jobs that were to be started when the cluster had become Active; nobody would start them any more.

    One that was sent after that is another request's.
    """
    ctx = context.ctx()
    for job in conductor.API.job_execution_get_all(ctx, cluster_id=cluster.id, end_time=None):
        waits = job.engine_job_id is None and job.start_time is None
        late = cluster.status in lease.SETTLED and str(job.created_at) >= str(cluster.updated_at)
        if waits and not late:
            LOG.warning("Job %s of cluster %s cannot be started any more", job.id, cluster.name)
            ended = {"info": {"status": edp.JOB_STATUS_FAILED}, "end_time": datetime.datetime.now()}
            conductor.API.job_execution_update(ctx, job, ended)


def _note_ended_jobs(cluster: Any) -> None:
    """Record how jobs have ended: those that are not known to have ended are killed along with the cluster."""
    try:
        job_manager.update_job_statuses(cluster_id=cluster.id)
    except Exception as failure:
        LOG.warning("The states of the jobs of cluster %s could not be found out: %s", cluster.name, failure)


def _delete_trust(cluster: Any) -> None:
    try:
        trusts.delete_trust_from_cluster(cluster)
    except Exception as failure:
        # Keystone knows it no more when the dead process had just deleted it, and there is no other way to ask.
        LOG.warning("The trust of cluster %s could not be deleted: %s", cluster.name, failure)

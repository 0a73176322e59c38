# SPDX-License-Identifier: Apache-2.0
"""The plug point ``sahara.infrastructure.engine``; the remote driver puts it in the stock Heat engine's place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import eventlet
from oslo_config import cfg
from oslo_log import log as logging
from sahara import conductor, context
from sahara import exceptions as sahara_exceptions
from sahara.plugins import provisioning
from sahara.service import networks
from sahara.service.heat import heat_engine
from sahara.utils import cluster as sahara_cluster
from sahara.utils import cluster_progress_ops as progress

from sahara_docker import cluster_extra, conf, exceptions
from sahara_docker.engine import (
    access,
    credentials,
    event_log,
    fan_out,
    lease,
    node_setup,
    recovery,
    scaling,
    stack,
    takeover,
    template,
)
from sahara_docker.ssh import errors

CONF = cfg.CONF
LOG = logging.getLogger(__name__)


class DockerEngine(heat_engine.HeatEngine):
    """Heat engine for containers.

    It waits for logins instead of cloud-init, never looks at disks, names nodes in one round trip, and undoes what a
    failed scaling has begun.

    :param remotes: the remote driver's connections, told which nodes are gone.
    """

    def __init__(self, remotes: Any = None) -> None:
        super().__init__()
        conf.register_sahara_opts(CONF)
        self._remotes = remotes
        self._keeper = lease.Keeper(CONF.sahara_docker.lease_time)
        if CONF.heat_enable_wait_condition:
            LOG.info("heat_enable_wait_condition is off for nodes that are containers: no cloud-init would signal Heat")
            CONF.set_override("heat_enable_wait_condition", False)

    def get_type_and_version(self) -> str:
        return "docker.1.0"

    def watch_for_dead_engines(self) -> None:
        """Take over, from now on, the clusters whose operations have died with their engine's process."""
        recover = recovery.Recovery(self).recover
        watch = takeover.Watch(self._keeper, CONF.sahara_docker.lease_time, recover)
        eventlet.spawn(watch.run)

    # -- create, scale, delete --------------------------------------------------------------------------------------

    def get_node_group_image_username(self, node_group: Any) -> str:
        """The login user of a node group's image.

        Sahara asks this before anything else when it begins to create or scale a cluster.
        """
        cluster = node_group.cluster
        self._keeper.begin(cluster.id, lease.SCALE if cluster.sahara_info else lease.CREATE)
        return super().get_node_group_image_username(node_group)

    def create_cluster(self, cluster: Any) -> None:
        self._keeper.begin(cluster.id, lease.CREATE)
        super().create_cluster(_without_ntp(cluster))

    def scale_cluster(self, cluster: Any, target_count: dict, instances_to_delete: list | None = None) -> list:
        """Scale; on a failure remove the new nodes before telling it.

        Sahara's caller swallows the failure, sets the cluster Active with its text, and calls no rollback.
        """
        self._keeper.begin(cluster.id, lease.SCALE)
        try:
            return super().scale_cluster(cluster, target_count, instances_to_delete)
        except Exception as failure:
            LOG.exception("Scaling of cluster %s failed", cluster.name)
            raise self.undo_scaling(cluster.id, failure) from failure

    def undo_scaling(self, cluster_id: str, failure: Exception) -> Exception:
        """Remove the nodes that the scaling under way has added, and return what to tell of it.

        For this engine, for a plugin that cannot use the new nodes, and for an engine that takes over from a dead one.

        :param failure: why; returned as it is when the scaling had not come to its nodes.
        :returns: ``ScalingUndone`` or ``UndoFailed``.
        """
        cluster = conductor.API.cluster_get(context.ctx(), cluster_id)
        if cluster is None or cluster.status == sahara_cluster.CLUSTER_STATUS_DELETING:
            return failure
        begun = lease.details_of(cluster)
        if "first_new" not in begun:
            return failure
        try:
            self._keeper.begin(cluster.id, lease.SCALE)
            sahara_cluster.change_cluster_status(cluster, heat_engine.ROLLBACK_STAGES[0], str(failure))
            self._change_stack_back(cluster, scaling.members_before(cluster, begun))
            cluster = conductor.API.cluster_get(context.ctx(), cluster_id)
            self._configure_instances(cluster)
            sahara_cluster.clean_cluster_from_empty_ng(cluster)
            self._update_rollback_strategy(cluster)
        except Exception as second:
            LOG.exception("Undoing the scaling of cluster %s failed", cluster.name)
            return scaling.UndoFailed(
                "scaling failed, and so did removing its new nodes",
                observed=f"{failure}; then: {second}",
                remedy="scale the cluster down to remove them",
            )
        left = "its new nodes were removed again" if begun["added"] else "the nodes that were to leave are gone"
        return scaling.ScalingUndone(f"scaling failed; {left}", observed=str(failure))

    def _rollback_cluster_scaling(self, cluster: Any, rollback_count: dict, target_count: dict, reason: Any) -> None:
        outcome = self.undo_scaling(cluster.id, reason)
        if isinstance(outcome, scaling.UndoFailed):
            raise outcome

    def shutdown_cluster(self, cluster: Any, force: bool = False) -> None:
        before = self._keeper.begin(cluster.id, lease.DELETE)
        # A creation may have named its stack until now; one that has not is stopped before it asks Heat for a stack.
        cluster = conductor.API.cluster_get(context.ctx(), cluster.id)
        creating = before is not None and (before["operation"], before["state"]) == (lease.CREATE, lease.HELD)
        instances = sahara_cluster.get_instances(cluster)
        try:
            if scaling.has_stack(cluster):
                coming = self._keeper.pause if creating else 0
                stack.delete(cluster, _status_reporter(cluster), wait=not force, coming=coming)
        except Exception as failure:
            if cluster.status == sahara_cluster.CLUSTER_STATUS_DELETING:
                # Sahara's caller logs it at DEBUG only, and the cluster stays Deleting until it is taken over.
                text = f"Deleting failed and is tried again: {failure}"
                sahara_cluster.change_cluster_status_description(cluster, text)
            raise
        self._forget(instances)
        self._clean_job_executions(cluster)
        self._remove_db_objects(cluster)
        credentials.remove(cluster)
        self._keeper.note(cluster.id, emptied=True)

    # -- instances --------------------------------------------------------------------------------------------------

    def _launch_instances(
        self,
        cluster: Any,
        target_count: dict,
        stages: list[str],
        update_stack: bool = False,
        disable_rollback: bool = True,
        instances_to_delete: list | None = None,
    ) -> list:
        """As in the stock engine, but for its search for disks: a container sees those of the host.

        :param disable_rollback: the stock caller's; Heat is never to roll back (see ``stack.submit``).
        """
        cluster = sahara_cluster.change_cluster_status(cluster, stages[0])
        ids = self._create_instances(cluster, target_count, update_stack, instances_to_delete)
        cluster = sahara_cluster.change_cluster_status(cluster, stages[1])
        self._await_networks(cluster, sahara_cluster.get_instances(cluster, ids))
        cluster = sahara_cluster.change_cluster_status(cluster, stages[2])
        self._configure_instances(cluster)
        return ids

    def _create_instances(
        self,
        cluster: Any,
        target_count: dict,
        update_stack: bool = False,
        instances_to_delete: list | None = None,
    ) -> list:
        """Make the stack hold *target_count* nodes of each node group; the database ids of the new ones."""
        gone = {instance["instance_id"] for instance in instances_to_delete or []}
        members: scaling.Members = {}

        # Kept before Heat begins, so that no number is used twice whatever happens next.
        def hand_out(known: Any) -> dict[str, int]:
            chosen, next_numbers = scaling.members(cluster, target_count, gone, known or {})
            members.update(chosen)
            return next_numbers

        next_numbers = cluster_extra.change(cluster.id, scaling.NEXT_NUMBERS, hand_out)
        self._keeper.note(cluster.id, **scaling.details(cluster, members, next_numbers))
        return self._change_stack(cluster, members, update_stack)

    @progress.event_wrapper(True, step="Create Heat stack", param=("cluster", 1))
    def _change_stack(self, cluster: Any, members: scaling.Members, update: bool = True) -> list:
        flat = template.FlatTemplate(cluster, members, lambda group: self._generate_user_data_script(group, ""))
        self._keeper.check(cluster.id)
        servers = stack.submit(cluster, flat, update, _status_reporter(cluster))
        return self._record(cluster, members, servers)

    def _change_stack_back(self, cluster: Any, members: scaling.Members) -> None:
        try:
            self._change_stack(cluster, members)
        except sahara_exceptions.HeatStackException as failure:
            # An engine that has died leaves Heat at its update. One that comes as Heat ends the other can fail by their
            # both changing the stack's records ("resource with id 7 not found"), and nothing is wrong with the next.
            LOG.warning("Changing the Heat stack of cluster %s back again: %s", cluster.name, failure)
            # The time of an update, by which one is told from the next, has whole seconds.
            context.sleep(1)
            self._change_stack(cluster, members)

    @staticmethod
    def _generate_heat_stack_name(cluster: Any) -> Any:
        # The stock way writes a whole extra that was read before, and with it loses what others wrote meanwhile.
        cluster_extra.change_item(cluster.id, "heat_stack_name", lambda _: cluster.name + cluster.id[:8])
        return conductor.API.cluster_get(context.ctx(), cluster)

    def _record(self, cluster: Any, members: dict[str, list[int]], servers: dict[str, str]) -> list:
        """Bring the database in line with the stack; the ids of the new rows."""
        ctx = context.ctx()
        new, gone = [], []
        for group in cluster.node_groups:
            wanted = {template.server_name(group, number): number for number in members[group.id]}
            known = {instance.instance_name: instance for instance in group.instances}
            for name, instance in known.items():
                if name not in wanted:
                    conductor.API.instance_remove(ctx, instance)
                    gone.append(instance)
            for name in wanted.keys() - known.keys():
                row = {"instance_id": servers[template.server_resource(group, wanted[name])], "instance_name": name}
                if cluster.use_designate_feature():
                    row["dns_hostname"] = f"{name}.{cluster.domain_name.rstrip('.')}"
                new.append(conductor.API.instance_add(ctx, group, row))
        self._forget(gone)
        credentials.forget(cluster, gone)
        return new

    def _forget(self, instances: list) -> None:
        for instance in instances if self._remotes else []:
            self._remotes.forget(instance)

    # -- access -----------------------------------------------------------------------------------------------------

    def _await_networks(self, cluster: Any, instances: list) -> None:
        if not instances:
            return
        ids = [instance.id for instance in instances]
        progress.add_provisioning_step(cluster.id, "Assign IPs", len(instances))
        fan_out.each(instances, "assigning addresses", self._assign_addresses)
        cluster = conductor.API.cluster_get(context.ctx(), cluster)
        instances = sahara_cluster.get_instances(cluster, ids)
        progress.add_provisioning_step(cluster.id, "Wait for instance accessibility", len(instances))
        self._await_logins(cluster, instances)
        credentials.secure(cluster, instances)

    @event_log.recorded
    def _assign_addresses(self, instance: Any) -> None:
        # Heat has seen the server active, so Nova knows its addresses; a failure here is not for waiting.
        if not networks.init_instances_ips(instance):
            raise exceptions.SaharaDockerError(
                "Nova shows no address",
                where=instance.instance_name,
                remedy="the node group's network needs a subnet; see 'openstack server show'",
            )

    def _await_logins(self, cluster: Any, instances: list) -> None:
        reporter = access.Reporter(_status_reporter(cluster), len(instances))
        failed: list[Any] = []

        def useless() -> bool:
            if failed:
                return True
            now = conductor.API.cluster_get(context.ctx(), cluster)
            return now is None or now.status == sahara_cluster.CLUSTER_STATUS_DELETING

        def wait(instance: Any) -> None:
            try:
                self._wait_until_accessible(instance, reporter, useless)
            except Exception:
                failed.append(instance)
                raise

        fan_out.each(instances, "login", wait)
        if reporter.published:
            sahara_cluster.change_cluster_status_description(cluster, "")

    @event_log.recorded
    def _wait_until_accessible(self, instance: Any, reporter: access.Reporter, useless: Any) -> None:
        access.wait_for_login(instance, CONF.sahara_docker.accessible_timeout, reporter.waiting, useless)
        reporter.done(instance)

    # -- names ------------------------------------------------------------------------------------------------------

    def _configure_instances(self, cluster: Any) -> None:
        """Tell all nodes of the cluster, old and new, the names of all.

        An old node where nothing answers is passed over: a cluster with a dead node can still be scaled.
        """
        instances = sahara_cluster.get_instances(cluster)
        progress.add_provisioning_step(cluster.id, "Configure instances", len(instances))
        hosts = node_setup.hosts_text(cluster)
        begun = lease.details_of(cluster)
        new = {one.id for one in (scaling.new_instances(cluster, begun) if "first_new" in begun else instances)}

        def configure(instance: Any) -> None:
            try:
                self._configure_instance(instance, cluster, hosts)
            except (errors.NodeNotUp, errors.NoRoute) as absence:
                if instance.id in new:
                    raise
                LOG.warning("The node does not learn the names of new ones until the next scaling: %s", absence)

        fan_out.each(instances, "configuring", configure)

    @event_log.recorded
    def _configure_instance(self, instance: Any, cluster: Any, hosts: str | None = None) -> None:
        hosts = hosts or node_setup.hosts_text(cluster)
        name_servers = CONF.nameservers if cluster.use_designate_feature() else []
        report = node_setup.apply(instance, hosts, name_servers)
        if report.other_hostname:
            LOG.warning(
                "[%s] its hostname is %s and cannot be set; /etc/hosts has it as an alias of %s",
                instance.instance_name,
                report.other_hostname,
                instance.fqdn(),
            )
        if report.volumes is not None and report.volumes != instance.storage_devices_number:
            conductor.API.instance_update(context.ctx(), instance, {"storage_devices_number": report.volumes})
        wanted = instance.node_group.volumes_per_node or 0
        if report.volumes is not None and report.volumes < wanted:
            LOG.warning(
                "[%s] %d of %d volumes are mounted at %s*; the others are not used",
                instance.instance_name,
                report.volumes,
                wanted,
                instance.node_group.volume_mount_prefix,
            )


def _status_reporter(cluster: Any) -> Callable[[str], None]:
    """A function that shows a line as the cluster's status description."""
    return lambda line: sahara_cluster.change_cluster_status_description(cluster, line)


def _without_ntp(cluster: Any) -> Any:
    """Turn Sahara's NTP step off unless the user asks for it: a container has its host's clock and cannot set it."""
    option = provisioning.NTP_ENABLED
    configs = cluster.cluster_configs.to_dict() if cluster.cluster_configs else {}
    section = configs.setdefault(option.applicable_target, {})
    if option.name in section:
        return cluster
    section[option.name] = False
    return conductor.API.cluster_update(context.ctx(), cluster, {"cluster_configs": configs})

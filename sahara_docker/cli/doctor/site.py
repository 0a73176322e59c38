# SPDX-License-Identifier: Apache-2.0
"""What the doctor can look at from where it runs: each part is found when a check first asks for it, and once."""

from __future__ import annotations

import os
from typing import Any, Callable, Mapping

from oslo_config import cfg

from sahara_docker import conf, exceptions
from sahara_docker.cli import cloud as openstack
from sahara_docker.cli import cloudera, daemon, host
from sahara_docker.cli import cluster as sahara_cluster
from sahara_docker.cli.doctor import check, found, node_facts

_NOVA = "/etc/nova/nova.conf"
_SAHARA = "/etc/sahara/sahara.conf"
_NODE_DOMAIN = "novalocal"  # Sahara's own default


def _register_nova(options: cfg.ConfigOpts) -> None:
    conf.register_nova_opts(options)
    options.register_opts(
        [
            cfg.StrOpt("compute_driver"),
            cfg.StrOpt("host"),
            cfg.BoolOpt("resume_guests_state_on_host_boot", default=False),
        ]
    )


def _register_sahara(options: cfg.ConfigOpts) -> None:
    conf.register_sahara_opts(options)
    options.register_opts(
        [
            cfg.ListOpt("plugins", default=[]),
            cfg.StrOpt("remote", default="ssh"),
            cfg.StrOpt("node_domain", default=_NODE_DOMAIN),
        ]
    )


class Site(found.Finder):
    """This host, the services on it, a cloud and a cluster, as far as they can be reached from here.

    A property raises :class:`check.NotHere` when its part does not exist here, and a SaharaDockerError when it does not
    answer.

    :param root: where this host's files lie; another one than ``/`` for tests.
    :param environ: the environment variables.
    :param docker_hosts: addresses of the Docker daemons of the compute hosts to look at; empty for this host's own.
    :param connect: logs in to the cloud.
    :param cluster_name: name or id of a cluster; empty for none.
    """

    def __init__(
        self,
        *,
        root: str = "/",
        environ: Mapping[str, str] = os.environ,
        docker_hosts: tuple[str, ...] = (),
        connect: Callable[[], openstack.Cloud] | None = None,
        cluster_name: str = "",
    ) -> None:
        super().__init__()
        self.host = host.Host(root)
        self.environ = environ
        self._docker_hosts, self._connect, self._cluster_name = docker_hosts, connect, cluster_name

    def _configuration(self, default: str, programs: tuple[str, ...], register: Any) -> tuple[cfg.ConfigOpts, str]:
        found = self.host.configuration(default, programs, register)
        if found is None:
            raise check.NotHere(f"{programs[-1]} does not run here, and there is no {default}")
        return found[0], ", ".join(found[1])

    @found.once
    def nova(self) -> tuple[cfg.ConfigOpts, str]:
        """Options of this host's nova-compute, and the files that they come from."""
        return self._configuration(_NOVA, ("nova-compute",), _register_nova)

    @found.once
    def sahara(self) -> tuple[cfg.ConfigOpts, str]:
        """Options of this host's Sahara, and the files that they come from."""
        return self._configuration(_SAHARA, ("sahara-all", "sahara-api", "sahara-engine"), _register_sahara)

    @found.once
    def daemons(self) -> list[daemon.Daemon]:
        """Docker daemons of the compute hosts in reach, each of which answers."""
        urls = list(self._docker_hosts)
        if not urls:
            try:
                urls = [self.nova[0].docker.host]
            except check.NotHere as reason:
                fallback = self.environ.get("DOCKER_HOST")
                if not fallback and not self.host.exists("/var/run/docker.sock"):
                    raise check.NotHere(f"no compute host: {reason}") from reason
                urls = [fallback or daemon.DEFAULT_HOST]
        return [daemon.Daemon(url) for url in urls]

    @found.once
    def answers(self) -> dict[str, dict[str, Any]]:
        """What each Docker daemon says of itself, by its address."""
        try:
            return {one.url: one.info() for one in self.daemons}
        except daemon.DaemonError as error:
            raise check.NotHere("a Docker daemon does not answer, see the check docker.daemon") from error

    def _answering(self) -> list[daemon.Daemon]:
        return [one for one in self.daemons if one.url in self.answers]

    @found.once
    def instances(self) -> list[tuple[daemon.Daemon, daemon.Instance]]:
        """Nova's instances on the Docker daemons; there is at least one."""
        answering = self._answering()
        try:
            name = self.nova[0].host or ""
        except check.NotHere:
            name = ""
        found = [(one, instance) for one in answering for instance in one.instances()]
        found = [(one, instance) for one, instance in found if not name or self._docker_hosts or instance.host == name]
        if not found:
            raise check.NotHere("no instance of Nova is on this host's Docker daemon")
        return found

    @found.once
    def images(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Images by their names, by the address of the daemon that has them."""
        return {one.url: one.images() for one in self._answering()}

    @found.once
    def login(self) -> openstack.Cloud:
        """The cloud, logged in to; raises SaharaDockerError when that does not work."""
        if self._connect is None:
            raise check.NotHere("no cloud was named: source its openrc file")
        try:
            found = self._connect()
        except openstack.NoCredentials as error:
            raise check.NotHere(str(error)) from error
        found.login()
        return found

    @found.once
    def cloud(self) -> openstack.Cloud:
        """The cloud for every check but the one that reports a failed login."""
        try:
            return self.login
        except exceptions.SaharaDockerError as error:
            raise check.NotHere("OpenStack cannot be asked, see the check sahara.api") from error

    @found.once
    def cluster(self) -> sahara_cluster.Cluster:
        """The cluster that was asked for."""
        if not self._cluster_name:
            raise check.NotHere("no cluster was named: --cluster NAME")
        return sahara_cluster.find(self.cloud, self._cluster_name)

    @found.once
    def manager(self) -> cloudera.Manager:
        """Cloudera Manager of the cluster, which answers."""
        found = cloudera.of_cluster(self.cluster)
        if found is None:
            raise check.NotHere("the cluster has no node for Cloudera Manager yet")
        try:
            found.get("tools/echo", message="doctor")
        except cloudera.ManagerError as error:
            raise check.NotHere("Cloudera Manager does not answer, see the check manager.echo") from error
        return found

    @found.once
    def services(self) -> dict[str, tuple[dict[str, Any], list[dict[str, Any]]]]:
        """The cluster's services in Cloudera Manager by name, each with its roles."""
        path = ("clusters", self.cluster.name, "services")
        try:
            known = self.manager.items(*path)
        except cloudera.ManagerError as error:
            if error.status == 404:
                raise check.NotHere("Cloudera Manager does not have this cluster yet") from error
            raise
        return {one["name"]: (one, self.manager.items(*path, one["name"], "roles")) for one in known}

    @found.once
    def facts(self) -> dict[sahara_cluster.Node, node_facts.Facts]:
        """What the cluster's nodes on the Docker daemons in reach say of themselves; at least one says something."""
        places = {instance.uuid: (one, instance) for one, instance in self.instances}
        return node_facts.collect(self.cluster.nodes, places, user=self.login_user, domain=self.node_domain)

    @found.once
    def login_user(self) -> str:
        """Login user of the cluster's image, by Sahara's registry."""
        image = self.cluster.document["default_image_id"] or self.cluster.document["node_groups"][0]["image_id"]
        try:
            found = self.cloud.get("data-processing", f"/images/{image}")["image"]
        except openstack.CloudError as error:
            if error.status != 404:
                raise
            found = self.sahara_images[0]  # the cluster's own was replaced by a newer one meanwhile
        return found.get("username") or "root"

    @found.once
    def node_domain(self) -> str:
        """What comes after the short names of nodes."""
        try:
            return self.cluster.document.get("domain_name") or self.sahara[0].node_domain
        except check.NotHere:
            return _NODE_DOMAIN

    @found.once
    def flavors(self) -> dict[str, dict[str, Any]]:
        """Flavors by their ids."""
        found = self.cloud.get("compute", "/flavors/detail?is_public=None")["flavors"]
        return {flavor["id"]: flavor for flavor in found}

    @found.once
    def sahara_images(self) -> list[dict[str, Any]]:
        """Images that Sahara's registry has for this plugin; there is at least one."""
        found = [
            one
            for one in self.cloud.get("data-processing", "/images")["images"]
            if sahara_cluster.PLUGIN in one["tags"]
        ]
        if not found:
            raise check.NotHere(f"no image is registered with the tag {sahara_cluster.PLUGIN}, see glance.registered")
        return found

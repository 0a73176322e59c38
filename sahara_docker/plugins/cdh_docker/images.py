# SPDX-License-Identifier: Apache-2.0
"""Checking that a node's image holds what CDH needs, in one round trip a node and all nodes at once.

The stock check makes about 34 round trips to one node after the other and downloads libraries that the image has.
"""

from __future__ import annotations

from typing import Any

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import parallel, shell

_CHECK = r"""
needs_file() { [ -e "$1" ] || echo "$1"; }
needs_command() { command -v "$1" >/dev/null 2>&1 || echo "the command $1"; }
needs_file /etc/init.d/cloudera-scm-agent
needs_file /etc/cloudera-scm-agent/config.ini
if [ "$1" = manager ]; then
    needs_file /etc/init.d/cloudera-scm-server
    needs_file /etc/init.d/cloudera-scm-server-db
fi
needs_command hdfs
ls -d /usr/lib/jvm/*/bin/java /usr/java/*/bin/java >/dev/null 2>&1 || command -v java >/dev/null 2>&1 || echo "Java"
"""

# Where the stock installation scripts know their way.
INSTALLABLE = frozenset({"ubuntu", "centos", "redhat", "rhel"})


class Images:
    """Image checks of one CDH version, in the shape that a version handler wants.

    :param stock: the version's stock ``images`` module, which installs packages on an image that lacks them.
    """

    def __init__(self, stock: Any) -> None:
        self._stock = stock

    def get_image_arguments(self) -> Any:
        """Return the arguments that ``sahara-image-pack`` takes for this version."""
        return self._stock.get_image_arguments()

    def pack_image(self, remote: Any, test_only: bool = False, image_arguments: Any = None) -> None:
        """Make an image by installing CDH into it."""
        self._stock.pack_image(remote, test_only=test_only, image_arguments=image_arguments)

    def validate(self, cluster: Any, instances: list[Any], test_only: bool = False) -> None:
        """Check *instances* of a cluster; install what is missing where the stock plugin can, unless *test_only*.

        :raises SaharaDockerError: naming the nodes and what they lack.
        """

        def validate(instance: Any) -> None:
            with instance.remote() as remote:
                missing = missing_parts(remote, manager=_is_manager(instance))
                if not missing:
                    return
                if test_only or remote.get_os_distrib() not in INSTALLABLE:
                    raise exceptions.SaharaDockerError(
                        f"the image lacks {', '.join(missing)}",
                        where=instance.fqdn(),
                        remedy=f"use an image built for CDH in containers and registered with the tag "
                        f"{cluster.plugin_name}",
                    )
                self._stock.pack_image(remote, image_arguments=self._defaults())

        parallel.on_each(instances, "Check images", validate)

    def _defaults(self) -> dict[str, Any]:
        return {argument.name: argument.default for argument in self.get_image_arguments()}


def missing_parts(remote: Any, *, manager: bool) -> list[str]:
    """Return what a node lacks, empty when it has all of CDH."""
    outcome = shell.run_as_root(remote, _CHECK, "manager" if manager else "node")
    return outcome.output.split("\n")[:-1] if outcome.output else []


def _is_manager(instance: Any) -> bool:
    return "CLOUDERA_MANAGER" in instance.node_group.node_processes

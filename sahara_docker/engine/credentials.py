# SPDX-License-Identifier: Apache-2.0
"""What the first login is for: the cluster's key on every node, and a password that no other node has.

The image's password is the same on all nodes of all clusters of that image, and whoever has the image may know it. So
the first work on a new node is to install the keys that stock Sahara leaves to cloud-init, and to replace the login
user's password, in one round trip. An engine process may die between any two steps here: the key manager has the new
password before any node has it, and a login tries all that a node may accept.
"""

from __future__ import annotations

import shlex
from typing import Any

from oslo_config import cfg
from oslo_log import log as logging
from sahara.utils import cluster_progress_ops as progress
from sahara.utils.openstack import nova

from sahara_docker import exceptions
from sahara_docker.engine import event_log, fan_out
from sahara_docker.ssh import authentication, errors, host_keys, node_password

CONF = cfg.CONF
LOG = logging.getLogger(__name__)

# For the login that proves that the new credentials work (seconds).
_ONE_LOGIN = 30.0
_OPT_OUT = "set [sahara_docker] rotate_password = false to keep the image's password"
_CAUSES = {
    81: ("the login user's authorized_keys cannot be written", "the image's login user needs a home of its own"),
    82: ("sudo asks for a password or is missing", "the image's login user needs sudo with NOPASSWD"),
    83: ("the image has no chpasswd", f"install it (package passwd or shadow-utils), or {_OPT_OUT}"),
    84: ("the new password was refused", f"see the image's PAM settings for passwords, or {_OPT_OUT}"),
}

# Standard input: public keys, one a line; an empty line; what chpasswd reads, which goes to it untouched.
# $1 is "replace" when there is a password.
_SCRIPT = r"""
set -u
umask 077
cd && mkdir -p .ssh && chmod 700 .ssh && touch .ssh/authorized_keys && chmod 600 .ssh/authorized_keys || exit 81
[ -z "$(tail -c 1 .ssh/authorized_keys)" ] || echo >> .ssh/authorized_keys || exit 81
while IFS= read -r key && [ -n "$key" ]; do
    grep -qxF -- "$key" .ssh/authorized_keys || printf '%s\n' "$key" >> .ssh/authorized_keys || exit 81
done
[ "$1" = replace ] || exit 0
as_root=
if [ "$(id -u)" != 0 ]; then
    as_root="sudo -n"
    $as_root true || exit 82
fi
$as_root sh -c 'command -v chpasswd' > /dev/null || exit 83
$as_root chpasswd || exit 84
"""


class CredentialsRefused(exceptions.SaharaDockerError):
    """A node did not take its keys or its password."""


def secure(cluster: Any, instances: list) -> None:
    """Give new nodes, whose first login has worked, their keys and their passwords; again is harmless.

    :raises NodesFailed: some node did not take them, with its reason.
    """
    if not instances:
        return
    keys = _public_keys(cluster)
    secret = node_password.create(cluster) if CONF.sahara_docker.rotate_password else None
    without_key: list[str] = []

    @event_log.recorded
    def step(instance: Any) -> None:
        _install(instance, keys, secret)
        if not _key_works(instance, replaced=secret is not None):
            without_key.append(instance.instance_name)

    progress.add_provisioning_step(cluster.id, "Set up credentials", len(instances))
    fan_out.each(instances, "setting up credentials", step)
    if without_key:
        LOG.warning(
            "%d of %d new nodes of cluster %s refuse its key (%s): logins there go on by password; "
            "sshd_config of the image may have PubkeyAuthentication no",
            len(without_key),
            len(instances),
            cluster.name,
            sorted(without_key)[0],
        )


def forget(cluster: Any, instances: list) -> None:
    """Drop what is stored with the cluster about nodes that are gone."""
    if instances:
        host_keys.forget_kept(cluster.id, [instance.instance_id for instance in instances])


def remove(cluster: Any) -> None:
    """Take the cluster's secret out of the key manager, once all its nodes are gone."""
    node_password.remove(cluster)


def _public_keys(cluster: Any) -> list[str]:
    keys = [cluster.management_public_key]
    if cluster.user_keypair_id:
        keys.append(nova.get_keypair(cluster.user_keypair_id).public_key)
    return [key.strip() for key in keys if key and key.strip()]


def _install(instance: Any, keys: list[str], secret: str | None) -> None:
    remote = instance.remote()
    data = "".join(f"{key}\n" for key in keys) + "\n"
    if secret is not None:
        password = node_password.derive(secret, instance.instance_id)
        remote.keep_secret(password)
        data += f"{instance.node_group.image_username}:{password}\n"
    words = ["sh", "-c", _SCRIPT, "sh", "keep" if secret is None else "replace"]
    try:
        remote.execute_command(shlex.join(words), stdin=data)
    except errors.RemoteCommandFailed as failure:
        if failure.ret_code not in _CAUSES:
            raise
        what, remedy = _CAUSES[failure.ret_code]
        raise CredentialsRefused(
            what, where=instance.instance_name, observed=failure.stderr.strip(), remedy=remedy
        ) from failure


def _key_works(instance: Any, replaced: bool) -> bool:
    """Log in once more, as after a restart of the engine.

    :raises CredentialsRefused: when the password was replaced and the image's is still what the node accepts.
    """
    method = instance.remote().log_in_again(_ONE_LOGIN)
    if isinstance(method, authentication.Key):
        return True
    if replaced and method.origin != node_password.ORIGIN:
        raise CredentialsRefused(
            "the new password does not work",
            where=instance.instance_name,
            observed=f"chpasswd took it, sshd accepts only {method.origin}",
            remedy=f"the image's PAM may ask another database than /etc/shadow; {_OPT_OUT}",
        )
    return False

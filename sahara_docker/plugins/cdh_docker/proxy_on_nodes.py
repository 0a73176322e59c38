# SPDX-License-Identifier: Apache-2.0
"""The proxy environment on a node.

Where values have to go was measured on Debian: ``/etc/environment`` reaches a plain SSH command and ``su -``, sudo
needs ``env_keep``, services read ``/etc/default``, apt and yum have their own files.

A password is only in files that root alone can read: the two first, which PAM and the services' scripts read as root.
apt and yum take it from root's environment, since their own files have to be readable by everyone.
"""

from __future__ import annotations

from typing import Any

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import proxy, shell

_BLOCK = r"""
set -e
umask 022
# Nobody else may look into it: a password goes through its files.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
new=$work/new
begin='# sahara-docker proxy: begin' end='# sahara-docker proxy: end'
# Replaces our block in a file by standard input, or removes it when that is empty; in the section [main] of a file that
# has one. In place, since the file may be a bind mount.
put_block() {
    file=$1
    [ -e "$file" ] || : >"$file"
    { echo "$begin"; cat; echo "$end"; } >"$new.block"
    [ "$(wc -l <"$new.block")" -gt 2 ] || : >"$new.block"
    sed "/^$begin\$/,/^$end\$/d" "$file" >"$new"
    if grep -q '^\[main\]' "$new"; then
        sed "/^\[main\]/r $new.block" "$new" >"$new.all"
    else
        cat "$new" "$new.block" >"$new.all"
    fi
    cmp -s "$new.all" "$file" || cat "$new.all" >"$file"
}
# As put_block, for a file that root alone may read while it holds a password; its own mode is kept in our block.
put_values() {
    file=$1 note='# sahara-docker proxy: mode '
    [ -e "$file" ] || : >"$file"
    mode=$(sed -n "s/^$note//p" "$file")
    if [ "$secret" = yes ]; then
        mode=${mode:-$(stat -c %a "$file")}
        chmod go-rwx "$file"
        { echo "$note$mode"; cat; } | put_block "$file"
    else
        put_block "$file"
        [ -z "$mode" ] || chmod "$mode" "$file"
    fi
}
apt=/etc/apt/apt.conf.d/95sahara-docker-proxy
sudoers=/etc/sudoers.d/sahara-docker-proxy
"""
_APPLY = (
    _BLOCK
    + r"""
values=$1 secret=$2
put_values /etc/environment <"$values"
for service in cloudera-scm-agent cloudera-scm-server; do
    sed 's/^/export /' "$values" | put_values "/etc/default/$service"
done
if [ -d /etc/sudoers.d ]; then
    names=$(cut -d= -f1 "$values" | tr '\n' ' ')
    printf 'Defaults env_keep += "%s"\n' "${names% }" >"$new"
    if ! command -v visudo >/dev/null || visudo -cqf "$new"; then
        cp "$new" "$sudoers"
        chmod 0440 "$sudoers"
    fi
fi
if [ "$secret" = yes ]; then : >"$values"; fi
if [ -d /etc/apt/apt.conf.d ]; then
    {
        sed -n 's/^\(https\{0,1\}\)_proxy=\(".*"\)$/Acquire::\1::Proxy \2;/p' "$values"
        sed -n 's/^no_proxy="\(.*\)"$/\1/p' "$values" | tr ',' '\n' | grep -E '^[A-Za-z0-9.-]+$' |
            sed 's|.*|Acquire::http::Proxy::& "DIRECT"; Acquire::https::Proxy::& "DIRECT";|'
    } >"$apt"
    [ -s "$apt" ] || rm "$apt"
fi
for file in /etc/yum.conf /etc/dnf/dnf.conf; do
    if [ -f "$file" ]; then sed -n 's/^http_proxy="\(.*\)"$/proxy=\1/p' "$values" | put_block "$file"; fi
done
"""
)
_REMOVE = (
    _BLOCK
    + r"""
secret=no
for file in /etc/environment /etc/default/cloudera-scm-agent /etc/default/cloudera-scm-server \
        /etc/yum.conf /etc/dnf/dnf.conf; do
    if [ -f "$file" ]; then put_values "$file" </dev/null; fi
done
rm -f "$apt" "$sudoers"
"""
)


def bring(instance: Any, settings: proxy.ProxySettings) -> None:
    """Bring *settings* to a node; harmless when they are there already.

    The values travel in a file, since commands are logged and a proxy's address can hold a password.

    :raises SaharaDockerError: when a file of the node cannot be written.
    """
    content = "".join(f'{name}="{value}"\n' for name, value in settings.variables().items())
    with instance.remote() as remote:
        outcome = shell.run_with_secret(remote, _APPLY, content, "yes" if settings.secret else "no")
        _finish(instance, remote, outcome)


def remove(instance: Any) -> None:
    """Take away what :func:`bring` has brought; harmless on a node that has nothing of it.

    :raises SaharaDockerError: when a file of the node cannot be written.
    """
    with instance.remote() as remote:
        _finish(instance, remote, shell.run_as_root(remote, _REMOVE))


def _finish(instance: Any, remote: Any, outcome: shell.Outcome) -> None:
    # sshd gives a login the environment of the moment; a remote that keeps its logins has to log in anew.
    if hasattr(remote, "reconnect"):
        remote.reconnect()
    if outcome.code:
        raise exceptions.SaharaDockerError(
            "cannot change the proxy settings of the node", where=instance.fqdn(), observed=outcome.last_lines()
        )

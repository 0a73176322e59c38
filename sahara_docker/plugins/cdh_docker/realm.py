# SPDX-License-Identifier: Apache-2.0
"""A Kerberos realm's server, clients and keytabs on the nodes.

Sahara's own helpers know Ubuntu and RHEL only, feed the kernel's entropy pool (which a container may not), write
scripts with the administrator's password where everyone can read them, fetch Java's policy files (part of every Java
since 8u161), and fail on an existing KDC by a formatting error. Their names of files and principals are kept.
"""

from __future__ import annotations

from typing import Any

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import shell

KEYTABS = "/tmp/sahara-kerberos"  # noqa: S108 - Sahara's own name, which jobs may use; root makes and owns it here
INSTALL_TIMEOUT = 1800

_PACKAGES = r"""
installed() { if [ "$family" = debian ]; then dpkg -s "$1"; else rpm -q "$1"; fi >/dev/null 2>&1; }
install_all() {
    missing=
    for package; do installed "$package" || missing="$missing $package"; done
    [ -z "$missing" ] && return 0
    if [ "$family" = debian ]; then
        # A stale list of packages is the usual reason of a failure.
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing ||
            { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; }
    else
        yum install -y $missing
    fi
}
if command -v apt-get >/dev/null; then family=debian; else family=rhel; fi
"""
_CONFIGURE = r"""
configure() {
    cat >/etc/krb5.conf <<END
[libdefaults]
 default_realm = $realm
 dns_lookup_realm = false
 dns_lookup_kdc = false
 rdns = false
 forwardable = true
 proxiable = true
[realms]
 $realm = {
  kdc = $server
  admin_server = $server
 }
[domain_realm]
 .$domain = $realm
END
}
"""
_SERVER = (
    _PACKAGES
    + _CONFIGURE
    + r"""
set -e
secret=$1 realm=$2 server=$3 domain=$4 administrator=$5
password=$(cat "$secret")
if [ "$family" = debian ]; then
    home=/etc/krb5kdc database=/var/lib/krb5kdc kdc=krb5-kdc kadmin=krb5-admin-server
    configure
    install_all krb5-kdc krb5-admin-server krb5-user
else
    home=/var/kerberos/krb5kdc database=$home kdc=krb5kdc kadmin=kadmin
    install_all krb5-server krb5-workstation
fi
configure
mkdir -p "$home" "$database"
cat >"$home/kdc.conf" <<END
[kdcdefaults]
 kdc_ports = 88
 kdc_tcp_ports = 88
[realms]
 $realm = {
  database_name = $database/principal
  acl_file = $home/kadm5.acl
  key_stash_file = $home/stash
  max_life = 10h
  max_renewable_life = 7d
  supported_enctypes = aes256-cts:normal aes128-cts:normal
  default_principal_flags = +preauth, +renewable, +forwardable
 }
END
echo "*/admin@$realm *" >"$home/kadm5.acl"
if [ ! -e "$database/principal" ]; then
    printf '%s
%s
' "$password" "$password" | kdb5_util create -s -r "$realm"
fi
printf 'addprinc %s
%s
%s
' "$administrator" "$password" "$password" | kadmin.local -r "$realm"
printf 'cpw %s
%s
%s
' "$administrator" "$password" "$password" | kadmin.local -r "$realm"
for service in "$kdc" "$kadmin"; do
    out=$(mktemp)
    service "$service" restart >"$out" 2>&1 </dev/null || { cat "$out"; rm -f "$out"; exit 1; }
    rm -f "$out"
done
"""
)
_CLIENT = (
    _PACKAGES
    + _CONFIGURE
    + r"""
set -e
realm=$1 server=$2 domain=$3 address=$4
if [ -n "$address" ] && ! grep -qF "$address $server" /etc/hosts; then echo "$address $server" >>/etc/hosts; fi
configure
if [ "$family" = debian ]; then install_all krb5-user; else install_all krb5-workstation; fi
configure
"""
)
# Debian's cron passes over files with a dot in their names, as those of Sahara have. A container need not have a cron.
_KEYTAB = r"""
set -e
secret=$1 directory=$2 user=$3 principal=$4 administrator=$5
keytab=$directory/$6
install -d -o root -g root -m 755 "$directory"
[ "$(stat -c %U "$directory")" = root ]
rm -f "$keytab"
asked=$({ cat "$secret"; printf 'addprinc -randkey %s
ktadd -k %s %s
exit
' "$principal" "$keytab" "$principal"; } |
    kadmin -p "$administrator" 2>&1) || { echo "$asked"; exit 1; }
[ -s "$keytab" ] || { echo "$asked"; exit 1; }
chown "$user:" "$keytab"
chmod 600 "$keytab"
refresh=/usr/local/sbin/sahara-kerberos-$user
printf '#!/bin/sh
exec su -s /bin/sh -c "kinit -kt %s %s" %s
' "$keytab" "$principal" "$user" >"$refresh"
chmod 755 "$refresh"
"$refresh"
if [ -d /etc/cron.d ] && { command -v cron || command -v crond; } >/dev/null; then
    echo "0 * * * * root $refresh" >"/etc/cron.d/sahara-kerberos-$user"
else
    pid=/run/sahara-kerberos-$user.pid
    if ! { [ -s "$pid" ] && kill -0 "$(cat "$pid")" 2>/dev/null; }; then
        setsid sh -c 'while sleep 3600; do "$0"; done' "$refresh" </dev/null >/dev/null 2>&1 &
        echo $! >"$pid"
    fi
fi
"""


def start_server(instance: Any, realm: str, administrator: str, password: str) -> None:
    """Make *instance* the realm's KDC and admin server.

    :raises SaharaDockerError: with the end of what its installation said.
    """
    with instance.remote() as remote:
        outcome = shell.run_with_secret(
            remote,
            _SERVER,
            password,
            realm,
            instance.fqdn(),
            _domain(instance),
            administrator,
            timeout=INSTALL_TIMEOUT,
        )
    _check(outcome, instance, "cannot start the Kerberos server")


def set_up_client(instance: Any, realm: str, server: str, address: str = "") -> None:
    """Point *instance* at the realm's server.

    :param server: its name.
    :param address: its address, for one that the node cannot look up.
    :raises SaharaDockerError: with the end of what the installation said.
    """
    with instance.remote() as remote:
        arguments = (realm, server, _domain(instance), address)
        outcome = shell.run_as_root(remote, _CLIENT, *arguments, timeout=INSTALL_TIMEOUT)
    _check(outcome, instance, "cannot set up the Kerberos client")


def create_keytab(instance: Any, user: str, realm: str, administrator: str, password: str) -> None:
    """Give *user* on *instance* a principal of its own with a keytab, and a ticket that is renewed every hour.

    :raises SaharaDockerError: when the realm's server refuses or cannot be reached.
    """
    name = f"sahara-{instance.fqdn()}"
    with instance.remote() as remote:
        outcome = shell.run_with_secret(
            remote,
            _KEYTAB,
            f"{password}\n",
            KEYTABS,
            user,
            f"{user}/{name}@{realm}",
            administrator,
            f"{user}-{name}.keytab",
        )
    _check(outcome, instance, f"cannot create a keytab for {user}")


def _domain(instance: Any) -> str:
    return instance.fqdn().partition(".")[2]


def _check(outcome: shell.Outcome, instance: Any, what: str) -> None:
    if outcome.code:
        raise exceptions.SaharaDockerError(
            what,
            where=instance.fqdn(),
            observed=outcome.last_lines(),
            remedy="look at the cluster's Kerberos configs, and whether the nodes reach their package repository",
        )

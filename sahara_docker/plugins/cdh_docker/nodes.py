# SPDX-License-Identifier: Apache-2.0
"""Starting Cloudera Manager and its agents on the nodes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from oslo_log import log as logging
from sahara.plugins import context

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import shell

LOG = logging.getLogger(__name__)

FIRST_RETRY_PAUSE = 1.0
LONGEST_RETRY_PAUSE = 15.0
SERVICE_TIMEOUT = 300
ANSWER_TIMEOUT = 30
# Errors of this package's remote, which the plugin knows by name only.
NOTHING_THERE = frozenset({"NodeNotUp", "NoRoute"})

# The output goes through a file: a daemon that keeps the script's standard output open would keep the SSH channel open.
_SERVICE = """
run_service() {
    service "$@" >"$out" 2>&1 </dev/null; status=$?
    cat "$out"
    return $status
}
out=$(mktemp); trap 'rm -f "$out" "$new"' EXIT
"""

_START_AGENT = (
    _SERVICE
    + r"""
manager=$1 fqdn=$2 attempt=$3
conf=/etc/cloudera-scm-agent/config.ini
new=$(mktemp) || exit 1
sed -e '/^[#[:space:]]*reported_hostname=/d' \
    -e "s/^[#[:space:]]*server_host=.*/server_host=$manager\nreported_hostname=$fqdn/" "$conf" >"$new" || exit 1
grep -q '^server_host=' "$new" || { echo "$conf has no line server_host="; exit 1; }
# Written in place: the file may be a bind mount, which cannot be replaced.
cmp -s "$new" "$conf" || cat "$new" >"$conf" || exit 1
if [ "$attempt" -gt 1 ]; then
    run_service cloudera-scm-agent clean_restart_confirmed || run_service cloudera-scm-agent restart
else
    run_service cloudera-scm-agent start
fi && run_service cloudera-scm-agent status && exit 0
tail -n 20 /var/log/cloudera-scm-agent/cloudera-scm-agent.log 2>&1
exit 1
"""
)

_CHECK_AGENT = (
    _SERVICE
    + """
run_service cloudera-scm-agent status && exit 0
tail -n 20 /var/log/cloudera-scm-agent/cloudera-scm-agent.log 2>&1
exit 1
"""
)

# PostgreSQL reads pg_hba.conf at its start, and the first start creates it, so a second start is due only then.
_START_MANAGER = (
    _SERVICE
    + r"""
hba=/var/lib/cloudera-scm-server-db/data/pg_hba.conf
allow_databases() {
    [ -f "$hba" ] || return 1
    changed=1
    for line in 'host metastore hive 0.0.0.0/0 md5' 'host sentry sentry 0.0.0.0/0 md5'; do
        grep -qxF "$line" "$hba" || { printf '\n%s\n' "$line" >>"$hba" && changed=0; }
    done
    return $changed
}
if allow_databases && run_service cloudera-scm-server-db status; then
    run_service cloudera-scm-server-db restart || exit 1
else
    run_service cloudera-scm-server-db start || exit 1
fi
if allow_databases; then run_service cloudera-scm-server-db restart || exit 1; fi
run_service cloudera-scm-server start && exit 0
tail -n 20 /var/log/cloudera-scm-server/cloudera-scm-server.log 2>&1
exit 1
"""
)

_STOP_AGENT = _SERVICE + "run_service cloudera-scm-agent stop"


class AgentFailed(exceptions.SaharaDockerError):
    """A node's agent does not stay up."""


def where(instance: Any) -> str:
    """Return a node's name and address, for an error."""
    return f"{instance.fqdn()} {instance.management_ip}"


def start_manager(instance: Any) -> None:
    """Start Cloudera Manager and its database on *instance*.

    :raises SaharaDockerError: when a service does not start, with the end of its log.
    """
    with instance.remote() as remote:
        outcome = shell.run_as_root(remote, _START_MANAGER, timeout=SERVICE_TIMEOUT)
    if outcome.code:
        raise exceptions.SaharaDockerError(
            "Cloudera Manager does not start",
            where=where(instance),
            observed=outcome.last_lines(),
            remedy="read /var/log/cloudera-scm-server on the node",
        )


def start_agent(instance: Any, manager: str, attempts: int, *, sleep: Callable[[float], None] = context.sleep) -> None:
    """Point a node's agent at Cloudera Manager and start it, again and again up to *attempts* times.

    :param manager: fully qualified name of Cloudera Manager's node.
    :raises AgentFailed: when it is not up after the last attempt, with the end of its log.
    """
    pause = FIRST_RETRY_PAUSE
    for attempt in range(1, attempts + 1):
        with instance.remote() as remote:
            outcome = shell.run_as_root(
                remote, _START_AGENT, manager, instance.fqdn(), str(attempt), timeout=SERVICE_TIMEOUT
            )
        if outcome.code == 0:
            return
        LOG.warning(
            "[%s] start %s of %s of the Cloudera agent failed: %s",
            instance.instance_name, attempt, attempts, outcome.last_lines(3),
        )  # fmt: skip
        if attempt < attempts:
            sleep(pause)
            pause = min(2 * pause, LONGEST_RETRY_PAUSE)
    raise AgentFailed(
        f"the Cloudera agent does not start, {attempts} attempts",
        where=where(instance),
        observed=outcome.last_lines(),
        remedy="read /var/log/cloudera-scm-agent on the node",
    )


def agent_trouble(instance: Any) -> str:
    """Return the end of the agent's log when it is not running, else an empty string."""
    with instance.remote() as remote:
        outcome = shell.run_as_root(remote, _CHECK_AGENT, timeout=SERVICE_TIMEOUT)
    return outcome.last_lines() if outcome.code else ""


def absence(instance: Any) -> str:
    """Return what shows that nothing is there any more where a node was, or an empty string when it runs a command.

    :raises SaharaDockerError: when neither can be told, as of a node that is overloaded or does not let one in.
    """
    try:
        with instance.remote() as remote:
            # A kept connection to a node that is gone only times out.
            if hasattr(remote, "reconnect"):
                remote.reconnect()
            remote.execute_command("true", timeout=ANSWER_TIMEOUT)
    except Exception as failure:
        if _shows_absence(failure, instance):
            return str(failure)
        raise exceptions.SaharaDockerError(
            "cannot tell whether the node is still there",
            where=where(instance),
            observed=str(failure),
            remedy="mend the login to it and remove it again, or stop its instance first when its data may be lost",
        ) from failure
    return ""


def _shows_absence(failure: Exception, instance: Any) -> bool:
    """Tell whether a remote's error says that nothing is at a node's address: another's may be about its gateway."""
    words = re.findall(r"[\w.-]+", str(failure))
    about_it = instance.instance_name in words or instance.management_ip in words
    return type(failure).__name__ in NOTHING_THERE and about_it


def stop_agent(instance: Any) -> None:
    """Stop the agent of a node that leaves the cluster, lest it registers again; a node that is gone is no error."""
    try:
        with instance.remote() as remote:
            shell.run_as_root(remote, _STOP_AGENT, timeout=SERVICE_TIMEOUT)
    except Exception as failure:
        LOG.warning("[%s] cannot stop the Cloudera agent: %s", instance.instance_name, failure)

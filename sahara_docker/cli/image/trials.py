# SPDX-License-Identifier: Apache-2.0
"""What a cluster will need of a node image, tried one after the other on a container of it."""

from __future__ import annotations

import functools
import time
from typing import Any, cast

from sahara_docker.cli import ports
from sahara_docker.cli.doctor import check
from sahara_docker.cli.image.subject import FQDN, NAME, Subject

#: Every trial by its name, in the order of declaration.
TRIALS: dict[str, check.Check] = {}
declare = functools.partial(check.declare, into=TRIALS)

_STOP_SECONDS = 10
_GIB = 1 << 30
_FILES = (
    "/etc/init.d/cloudera-scm-agent", "/etc/cloudera-scm-agent/config.ini", "/etc/init.d/cloudera-scm-server",
    "/etc/init.d/cloudera-scm-server-db",
)  # fmt: skip


@declare(
    "image.start",
    "whether a container of it starts and stays up, with sshd",
    covers=(2,),
    remedy="the image's first process has to start sshd and stay",
)
def start(subject: Subject) -> check.Result:
    began = time.monotonic()
    subject.facts  # noqa: B018 - waits
    return check.Result(check.OK, "port 22", f"sshd listens after {time.monotonic() - began:.1f} s")


@declare(
    "image.sandbox",
    "whether it has what the driver's sandbox container runs",
    covers=(12,),
    remedy="put coreutils into the image, or set [docker] sandbox_command in nova.conf to something that it has",
)
def sandbox(subject: Subject) -> check.Result:
    subject.facts  # noqa: B018 - waits
    code, _ = subject.run("sleep 0 && sleep --help 2>&1 | grep -q . && command -v sleep")
    return check.judge(code == 0, "sleep", "there" if code == 0 else "missing")


@declare(
    "image.login",
    "whether the user can log in by password over SSH, and become root without one",
    covers=(2, 3),
    remedy="useradd, chpasswd, PasswordAuthentication yes, and USER ALL=(ALL) NOPASSWD: ALL in /etc/sudoers.d",
)
def login(subject: Subject) -> check.Result:
    subject.facts  # noqa: B018 - waits
    if not subject.password:
        raise check.NotHere("no password was given: --password-file, or SAHARA_DOCKER_IMAGE_PASSWORD")
    try:
        import paramiko
    except ImportError:
        raise check.NotHere("paramiko is not installed: pip install 'sahara-docker[cli]'") from None
    who = f"{subject.user} by password"
    with subject.connection() as channel, paramiko.SSHClient() as client:
        # The host key is as new as the container.
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        try:
            client.connect(
                NAME, sock=cast(Any, channel), username=subject.user, password=subject.password, look_for_keys=False,
                allow_agent=False, timeout=20, banner_timeout=20, auth_timeout=20,
            )  # fmt: skip
        except paramiko.AuthenticationException as error:
            return check.Result(check.FAIL, who, f"refused: {error}")
        except (paramiko.SSHException, OSError, EOFError) as error:
            return check.Result(check.FAIL, who, f"no SSH: {error}")
        _, output, errors = client.exec_command("sudo -n id -u", timeout=20)
        seen = output.read().decode().strip()
        said = errors.read().decode().strip()
    return check.judge(seen == "0", who, "logged in, and sudo works" if seen == "0" else f"sudo: {said or seen}")


@declare(
    "image.session",
    "whether a session opens under the container's own limits",
    covers=(8, "database-session"),
    remedy="ask for no more in /etc/security/limits.d than [docker] ulimits grants, or lower it at each start",
)
def session(subject: Subject) -> check.Result:
    opens = subject.facts.text("session") == "opens"
    return check.judge(opens, f"su - {subject.user}", subject.facts.text("session") or "refused")


@declare(
    "image.names",
    "whether it keeps the hostname and the hosts file that the driver gives it",
    covers=(4, 5, 6, "ptr"),
    remedy="nothing in the image may write /etc/hosts or /etc/hostname, or move files onto them",
)
def names(subject: Subject) -> check.Result:
    facts = subject.facts
    wrong = {}
    if facts.text("fqdn") != FQDN:
        wrong["hostname -f"] = facts.text("fqdn") or "nothing"
    if facts.text("hosts-write") != "writable":
        wrong["/etc/hosts"] = facts.text("hosts-write") or "not writable"
    return check.findings(wrong, "hostname, /etc/hosts", "as given, and writable")


@declare(
    "image.init",
    "whether its first process reaps the dead",
    covers=("zombies",),
    remedy="start with tini, or set [docker] init = true in nova.conf",
)
def init(subject: Subject) -> check.Result:
    subject.facts  # noqa: B018 - waits
    _, output = subject.run(
        "(sh -c 'sleep 0.2 & exit' &) ; sleep 1.5; cat /proc/[0-9]*/stat 2>/dev/null | grep -c '(sleep) Z '"
    )
    return check.judge(output.strip() == "0", "an orphan that ends", "reaped" if output.strip() == "0" else "a zombie",
                       otherwise=check.WARN)  # fmt: skip


@declare(
    "image.software",
    "whether it has what the plugin expects of a node",
    covers=(15,),
    remedy="install Cloudera's packages and Java in the image",
)
def software(subject: Subject) -> check.Result:
    subject.facts  # noqa: B018 - waits
    _, output = subject.run(
        'for f in "$@"; do [ -e "$f" ] || echo "$f"; done; command -v hdfs >/dev/null || echo the command hdfs; '
        "command -v java >/dev/null || ls /usr/lib/jvm/*/bin/java /usr/java/*/bin/java >/dev/null 2>&1 || echo Java; "
        "grep -qs '^[# ]*server_host=' /etc/cloudera-scm-agent/config.ini || echo server_host= in config.ini",
        *_FILES,
    )
    missing = output.split("\n")[:-1]
    return check.judge(
        not missing, "files and commands of CDH", f"lacks {', '.join(missing)}" if missing else "all there"
    )


@declare(
    "image.services",
    "whether Cloudera's database and agent start",
    covers=(8, 15, "database-session", "agent-restart"),
    remedy="run the service in a container by hand and read its log under /var/log",
)
def services(subject: Subject) -> check.Result:
    subject.facts  # noqa: B018 - waits
    wrong, tried = {}, []
    for name in ("cloudera-scm-server-db", "cloudera-scm-agent"):
        code, _ = subject.run('[ -e "/etc/init.d/$1" ]', name)
        if code:
            continue
        tried.append(name)
        # A pipe that a daemon inherits would never end.
        script = (
            'out=$(mktemp); service "$1" start >"$out" 2>&1 </dev/null && service "$1" status >>"$out" 2>&1; r=$?; '
            'cat "$out"; exit $r'
        )
        code, output = subject.run(script, name)
        if code:
            wrong[name] = " ".join(output.split())[-200:] or f"exit {code}"
    if not tried:
        raise check.NotHere("it has neither service, see image.software")
    return check.findings(wrong, ", ".join(tried), "start")


@declare(
    "image.ports",
    "whether it exposes the ports of the processes it may run",
    covers=(12,),
    remedy="EXPOSE them in the Dockerfile; only docker run -P and people read it, Neutron's networks do not need it",
)
def exposed(subject: Subject) -> check.Result:
    config = subject.described.get("Config") or {}
    known = {int(text.partition("/")[0]) for text in config.get("ExposedPorts") or {}}
    wanted = {ports.SSH, *(port for some in ports.PORTS.values() for port in some)}
    missing = ", ".join(map(str, sorted(wanted - known)))
    return check.judge(
        not missing, "EXPOSE", f"lacks {missing}" if missing else f"{len(known)} ports", otherwise=check.WARN
    )


@declare(
    "image.disk",
    "whether its users can write where data goes, and how large it is",
    covers=(13,),
    remedy="nothing in the image may own or mount /mnt",
)
def disk(subject: Subject) -> check.Result:
    subject.facts  # noqa: B018 - waits
    code, output = subject.run(
        'd=$(mktemp -d /mnt/check.XXXXXX) && chown hdfs "$d" && su -s /bin/sh hdfs -c "echo x > $d/file" && rm -r "$d"'
    )
    size = f"{subject.described['Size'] / _GIB:.1f} GiB"
    return check.judge(code == 0, f"/mnt, image of {size}", "hdfs can write" if code == 0 else output.strip()[-200:])


@declare(
    "image.identity",
    "whether it brings an identity along that nodes must not share",
    covers=("cloned-identity",),
    remedy="remove the agent's uuid, HDFS's current directories and SSH host keys when the image is built",
)
def identity(subject: Subject) -> check.Result:
    with subject.where.client() as api:
        made = api.create_container(
            subject.described["Id"],
            entrypoint=["sh", "-c"],
            command=[
                "ls -d /var/lib/cloudera-scm-agent/uuid /dfs*/*/current /data*/dfs/*/current /mnt/*/*/current "
                "/etc/ssh/ssh_host_*_key 2>/dev/null; true"
            ],
            host_config=api.create_host_config(network_mode="none"),
        )["Id"]
        try:
            api.start(made)
            api.wait(made, timeout=30)
            there = api.logs(made).decode(errors="replace").split()
        finally:
            api.remove_container(made, force=True)
    return check.judge(not there, "the image's own files", ", ".join(there) or "none", otherwise=check.WARN)


@declare(
    "image.time",
    "whether it leaves the clock to the host",
    covers=("clock",),
    remedy="no NTP service in the image",
)
def clock(subject: Subject) -> check.Result:
    running = subject.facts.text("time-services")
    return check.judge(not running, "processes", running or "no time service", otherwise=check.WARN)


def stop(subject: Subject) -> check.Result:
    """Whether it ends when it is told to; the last trial, since nothing can be tried afterwards."""
    began = time.monotonic()
    with subject.where.client(timeout=60) as api:
        api.stop(subject.container, timeout=_STOP_SECONDS)
        state: dict[str, Any] = api.inspect_container(subject.container)["State"]
    seconds = time.monotonic() - began
    killed = state["ExitCode"] == 137
    seen = f"was killed after {_STOP_SECONDS} s" if killed else f"ends in {seconds:.1f} s"
    return check.judge(not killed, "docker stop", seen, otherwise=check.WARN)


#: Not among the others, which need a container that runs.
STOP = check.Check(
    "image.stop",
    "whether it ends well when it is stopped",
    ("cluster-id",),
    "its first process has to pass SIGTERM on to the others",
    stop,
)

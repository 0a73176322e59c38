# SPDX-License-Identifier: Apache-2.0
"""What the lab runs, in which order, and how each part shows that it answers."""

from __future__ import annotations

import datetime
import functools
import os
import shutil
import socket
import subprocess
from pathlib import Path

from lab import (
    cloud_objects,
    command,
    compute_hosts,
    configuration,
    dashboard,
    docker_engine,
    identity,
    network,
    object_store,
    plan,
    rest,
    settings,
)
from lab.service import Service

RABBITMQ_SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"


def environment(lab: settings.Lab) -> dict[str, str]:
    """Variables of every process of the lab on top of PATH, HOME and the mark."""
    return {
        "LAB_STATE": str(lab.state),
        "PYTHONPATH": str(lab.cache / "path"),
        # Compiled Python belongs into the state directory, not beside the sources in the checkout.
        "PYTHONPYCACHEPREFIX": str(lab.cache / "pyc"),
        # Neutron writes a title over its environment otherwise, and with it the lab's mark.
        "SPT_NOENV": "1",
        # stevedore keeps a cache of entry points in the user's home otherwise.
        "XDG_CACHE_HOME": str(lab.data / "cache"),
        # glibc otherwise gives threads arenas of their own, whose free memory it does not return.
        "MALLOC_ARENA_MAX": "2",
    }


def build(lab: settings.Lab) -> list[plan.Step | Service]:
    """Everything in one plan; what each needs decides the order."""
    configuration.write(lab)
    cloud = rest.Cloud(lab)
    steps: list[plan.Step | Service] = [
        *_foundations(lab),
        *_schemas(lab),
        *_openstack(lab, cloud),
        plan.Step("cloud", lambda: cloud_objects.create(cloud), ("neutron", "nova-control", "glance")),
    ]
    if object_store.is_chosen(lab):
        steps += object_store.parts(lab, cloud)
    if dashboard.is_chosen(lab):
        steps.append(dashboard.service(lab))
    for host in compute_hosts.all_of(lab):
        if host.has_own_docker:
            steps.append(docker_engine.service(lab, host.number))
        else:
            steps.append(plan.Step(host.unique("docker"), lambda: docker_engine.check(lab)))
        steps.append(_compute(lab, cloud, host))
    return steps


def _foundations(lab: settings.Lab) -> list[plan.Step | Service]:
    mysql, rabbit = lab.data / "mariadb", lab.data / "rabbitmq"
    return [
        plan.Step("bridges", lambda: network.create(lab)),
        plan.Step("mariadb-files", lambda: _install_database(lab, mysql)),
        Service(
            "mariadb",
            (
                "/usr/sbin/mariadbd",
                "--no-defaults",
                "--user=root",
                f"--datadir={mysql}",
                f"--socket={mysql}/socket",
                f"--pid-file={mysql}/pid",
                "--bind-address=127.0.0.1",
                f"--port={settings.PORTS['mariadb']}",
                "--max-connections=1000",
                # Safe against a killed process, not against power loss, which is right for a lab: half the time of
                # the migrations is the disk's otherwise.
                "--innodb-flush-log-at-trx-commit=2",
                "--innodb-flush-method=nosync",
                "--innodb-doublewrite=0",
                "--innodb-buffer-pool-size=128M",
                "--skip-log-bin",
                "--skip-name-resolve",
                "--character-set-server=utf8mb3",
                "--performance-schema=off",
            ),
            lambda started: _database_answers(mysql),
            ("mariadb-files",),
            patience=20,
            last=True,
        ),
        plan.Step("databases", lambda: _create_databases(lab, mysql), ("mariadb",)),
        Service(
            "rabbitmq",
            (RABBITMQ_SERVER,),
            lambda started: _broker_answers(),
            environment=_rabbitmq_environment(lab, rabbit),
            patience=10,
            last=True,
        ),
    ]


def _install_database(lab: settings.Lab, mysql: Path) -> None:
    if mysql.is_dir():
        return
    new = mysql.with_name("mariadb.new")  # takes its name when it is whole
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    command.run(
        [
            "mariadb-install-db",
            "--no-defaults",
            "--user=root",
            f"--datadir={new}",
            "--skip-test-db",
            # By the socket, as root of this machine, and in no other way: "normal" leaves TCP open without a password.
            "--auth-root-authentication-method=socket",
            "--auth-root-socket-user=root",
        ],
        log=lab.log / "mariadb-files.log",
        what="making MariaDB's files",
    )
    new.rename(mysql)


def _client(mysql: Path) -> list[str]:
    return ["mariadb", "--no-defaults", "--user=root", f"--socket={mysql}/socket"]


def _database_answers(mysql: Path) -> bool:
    probe = [*_client(mysql), "--execute=select 1"]
    try:
        return subprocess.run(probe, capture_output=True, timeout=10, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _create_databases(lab: settings.Lab, mysql: Path) -> None:
    account = "openstack@'127.0.0.1'"
    statements = [f"CREATE DATABASE IF NOT EXISTS {name};" for name in configuration.DATABASES]
    statements += [
        f"CREATE USER IF NOT EXISTS {account};",
        f"ALTER USER {account} IDENTIFIED BY '{lab.secrets['mariadb']}';",
        f"GRANT ALL ON *.* TO {account};",
    ]
    # By standard input: arguments can be read by every user of the machine.
    sql = "\n".join(statements)
    command.run(_client(mysql), log=lab.log / "databases.log", what="creating databases", input_text=sql)


def _rabbitmq_environment(lab: settings.Lab, rabbit: Path) -> dict[str, str]:
    (rabbit / "log").mkdir(parents=True, exist_ok=True)
    plugins = rabbit / "enabled_plugins"
    plugins.write_text("[].\n")
    return {
        "HOME": str(rabbit),
        "RABBITMQ_CONFIG_FILE": str(lab.etc / "rabbitmq.conf"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_MNESIA_BASE": str(rabbit / "mnesia"),
        "RABBITMQ_LOG_BASE": str(rabbit / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
        "RABBITMQ_NODENAME": "sahara-docker-lab@localhost",
        "RABBITMQ_DIST_PORT": str(settings.PORTS["rabbitmq-cluster"]),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(settings.PORTS["epmd"]),
    }


def _broker_answers() -> bool:
    """The first frame of AMQP 0-9-1: the broker answers the protocol header with Connection.Start (class 10)."""
    with socket.create_connection(("127.0.0.1", settings.PORTS["rabbitmq"]), timeout=3) as connection:
        connection.sendall(b"AMQP\x00\x00\x09\x01")
        frame = connection.recv(11)
    return len(frame) == 11 and frame[0] == 1 and frame[7:11] == b"\x00\x0a\x00\x0a"


def _schemas(lab: settings.Lab) -> list[plan.Step]:
    tools = lab.venv / "bin"
    etc = lab.etc
    commands: dict[str, list[object]] = {
        "keystone": [tools / "python", "-m", "lab.processes.database_sync", "keystone"],
        "nova": [tools / "python", "-m", "lab.processes.database_sync", "nova"],
        "glance": [tools / "glance-manage", "--config-file", etc / "glance-api.conf", "db", "sync"],
        "placement": [tools / "placement-manage", "--config-file", etc / "placement.conf", "db", "sync"],
        "neutron": [tools / "neutron-db-manage", "--config-file", etc / "neutron.conf", "upgrade", "heads"],
        "heat": [tools / "heat-manage", "--config-file", etc / "heat.conf", "db_sync"],
        "sahara": [tools / "sahara-db-manage", "--config-file", etc / "sahara.conf", "upgrade", "head"],
    }
    variables = {"PATH": os.environ["PATH"], "HOME": str(lab.data), settings.MARK: str(lab.state), **environment(lab)}

    def sync(service: str) -> None:
        stamp = lab.data / f"schema-{service}"
        if not stamp.exists():
            log = lab.log / f"schema-{service}.log"
            command.run(
                [str(word) for word in commands[service]],
                log=log,
                what=f"creating the tables of {service}",
                environment=variables,
                timeout=300,
            )
            stamp.touch()

    return [plan.Step(f"schema-{name}", functools.partial(sync, name), ("databases",)) for name in commands]


def _stock(lab: settings.Lab, program: str, *files: str) -> tuple[str, ...]:
    """Command line of one of OpenStack's own programs."""
    return (
        str(lab.venv / "bin" / program),
        *(word for file in files for word in ("--config-file", str(lab.etc / file))),
    )


def _compute(lab: settings.Lab, cloud: rest.Cloud, host: compute_hosts.ComputeHost) -> Service:
    return Service(
        host.unique("nova-compute"),
        _stock(lab, "nova-compute", "nova.conf", f"{host.unique('nova-compute')}.conf"),
        lambda started: _hypervisor_is_up(host.name, cloud, started),
        ("nova-control", host.unique("docker"), "bridges"),
    )


def _openstack(lab: settings.Lab, cloud: rest.Cloud) -> list[plan.Step | Service]:
    stock = functools.partial(_stock, lab)

    def answers(service: str, path: str = "/") -> object:
        return rest.call("GET", lab.url(service) + path, timeout=10)

    def module(name: str, *words: object) -> tuple[str, ...]:
        return (str(lab.venv / "bin/python"), "-m", f"lab.processes.{name}", *map(str, words))

    return [
        Service(
            "keystone",
            module("identity_wsgi"),
            lambda started: answers("placement") and cloud.authenticate(),
            ("schema-keystone", "schema-placement"),
        ),
        plan.Step("identity", lambda: identity.create(lab, cloud), ("keystone",)),
        Service(
            "glance",
            stock("glance-api", "glance-api.conf"),
            lambda started: answers("glance"),
            ("schema-glance", "identity"),
        ),
        Service(
            "nova-control",
            module("nova_control", *stock("", "nova.conf", "nova-database.conf")[1:]),
            lambda started: cloud.get("nova", "/os-services")["services"],
            ("schema-nova", "identity", "rabbitmq"),
        ),
        Service(
            "neutron",
            stock("neutron-server", "neutron.conf"),
            lambda started: cloud.get("neutron", "/networks"),
            ("schema-neutron", "identity", "rabbitmq"),
        ),
        Service(
            "heat-api",
            stock("heat-api", "heat.conf"),
            lambda started: answers("heat"),
            ("schema-heat", "identity", "rabbitmq"),
        ),
        # Not heat-all: there the API stands still while it waits for the engine's answer.
        Service(
            "heat-engine",
            stock("heat-engine", "heat.conf"),
            # A question that comes before the engine listens is lost, and is answered with an error a minute later.
            lambda started: cloud.request("GET", "heat", "/stacks", timeout=3),
            ("heat-api",),
        ),
        Service(
            "sahara",
            stock("sahara-all", "sahara.conf"),
            lambda started: cloud.get("sahara", "/plugins")["plugins"],
            ("schema-sahara", "identity", "rabbitmq"),
        ),
    ]


def _hypervisor_is_up(host: str, cloud: rest.Cloud, started: float) -> bool:
    """Whether *host* has reported in since *started*: for two minutes Nova believes in one that is gone."""
    found = cloud.get("nova", "/os-services?binary=nova-compute")["services"]
    reported = [one["updated_at"] for one in found if one["host"] == host and one["state"] == "up"]
    if not reported or not reported[0]:
        return False
    at = datetime.datetime.fromisoformat(reported[0]).replace(tzinfo=datetime.timezone.utc)
    if at.timestamp() < int(started):
        return False
    hypervisors = cloud.get("nova", "/os-hypervisors/detail")["hypervisors"]
    return any(one["state"] == "up" and one["service"]["host"] == host for one in hypervisors)

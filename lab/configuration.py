# SPDX-License-Identifier: Apache-2.0
"""The services' configuration files: what differs from their defaults, and why where it is not plain."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from lab import compute_hosts, settings

Sections = Mapping[str, Mapping[str, object]]

DATABASES = ("keystone", "glance", "placement", "nova_api", "nova_cell0", "nova", "neutron", "heat", "sahara")

#: Quiet enough to find one's own line; the services' defaults less the libraries that repeat themselves.
LOG_LEVELS = ",".join(
    f"{name}={level}"
    for name, level in {
        "amqp": "WARN",
        "sqlalchemy": "WARN",
        "oslo.messaging": "INFO",
        "oslo_messaging": "INFO",
        "oslo_policy": "INFO",
        "requests": "WARN",
        "urllib3": "WARN",
        "keystonemiddleware": "WARN",
        "keystoneauth": "WARN",
        "stevedore": "WARN",
        "routes": "WARN",
        "dogpile": "INFO",
        "heat.engine.environment": "WARN",
        "paramiko": "WARN",
    }.items()
)


def write(lab: settings.Lab) -> None:
    """Write every file below ``etc``, readable by its owner alone since all hold passwords."""
    lab.etc.mkdir(parents=True, exist_ok=True)
    lab.etc.chmod(0o700)
    builders = {
        "keystone.conf": _keystone,
        "glance-api.conf": _glance,
        "placement.conf": _placement,
        "nova.conf": _nova,
        "nova-database.conf": _nova_database,
        "neutron.conf": _neutron,
        "heat.conf": _heat,
        "sahara.conf": _sahara,
    }
    for name, build in builders.items():
        write_sections(lab.etc / name, build(lab))
    for host in compute_hosts.all_of(lab):
        write_sections(lab.etc / f"{host.unique('nova-compute')}.conf", _compute(lab, host))
    _write_private(lab.etc / "rabbitmq.conf", _rabbitmq(lab))


def write_sections(path: Path, sections: Sections) -> None:
    """Write a configuration file that only its owner can read."""
    _write_private(path, "\n".join(f"[{section}]\n{_lines(options)}" for section, options in sections.items()))


def _write_private(path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(text)


def _lines(options: Mapping[str, object]) -> str:
    def value(option: object) -> str:
        return str(option).lower() if isinstance(option, bool) else str(option)

    return "".join(f"{name} = {value(option)}\n" for name, option in options.items())


def database_url(lab: settings.Lab, name: str) -> str:
    port = settings.PORTS["mariadb"]
    return f"mysql+pymysql://openstack:{lab.secrets['mariadb']}@127.0.0.1:{port}/{name}?charset=utf8"


def _database(lab: settings.Lab, name: str) -> dict[str, object]:
    return {"connection": database_url(lab, name), "max_pool_size": 10, "max_overflow": 40}


def _broker(lab: settings.Lab) -> str:
    return f"rabbit://openstack:{lab.secrets['rabbitmq']}@127.0.0.1:{settings.PORTS['rabbitmq']}/"


def credentials(lab: settings.Lab, user: str) -> dict[str, object]:
    """By which a service proves to Keystone who it is."""
    return {
        "auth_type": "password",
        "auth_url": f"{lab.url('keystone')}/v3",
        "username": user,
        "password": lab.secrets[user],
        "project_name": "service",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
        "region_name": settings.REGION,
    }


def _trustee(lab: settings.Lab, user: str) -> dict[str, object]:
    return {
        "auth_type": "password",
        "auth_url": f"{lab.url('keystone')}/v3",
        "username": user,
        "password": lab.secrets[user],
        "user_domain_name": "Default",
    }


def _common(lab: settings.Lab, user: str) -> dict[str, dict[str, object]]:
    """Sections that every service but Keystone has."""
    return {
        "keystone_authtoken": {
            **credentials(lab, user),
            "www_authenticate_uri": f"{lab.url('keystone')}/v3",
            "service_token_roles_required": True,
            "interface": "internal",
        },
        "oslo_messaging_rabbit": {"heartbeat_timeout_threshold": 0, "rabbit_retry_interval": 1},
        "oslo_messaging_notifications": {"driver": "noop"},
        "oslo_concurrency": {"lock_path": lab.data / user / "locks"},
    }


def _log() -> dict[str, object]:
    return {"default_log_levels": LOG_LEVELS}


def _keystone(lab: settings.Lab) -> Sections:
    return {
        "DEFAULT": _log(),
        "cache": {"enabled": True, "backend": "dogpile.cache.memory"},
        # Accounts of a lab that listens on loopback only: the cheapest hash keeps logins quick.
        "identity": {"password_hash_rounds": 4},
        "token": {"provider": "fernet", "expiration": 86400},
        "fernet_tokens": {"key_repository": lab.data / "keystone" / "fernet"},
        # Keystone changes what it has cached, and its cache in memory hands out no copies: the second look at an EC2
        # credential would be an error 500.
        "credential": {"key_repository": lab.data / "keystone" / "credential", "caching": False},
        # With scopes enforced, listing roles is refused to the bootstrap admin.
        "oslo_policy": {"enforce_scope": False, "enforce_new_defaults": False},
        "database": _database(lab, "keystone"),
    }


def _glance(lab: settings.Lab) -> Sections:
    store = lab.data / "glance"
    return {
        "DEFAULT": {
            **_log(),
            "bind_host": "127.0.0.1",
            "bind_port": settings.PORTS["glance"],
            "workers": 0,
            # Only admins see the password of the image's login user.
            "property_protection_file": settings.CHECKOUT / "docs/property-protections.conf",
            "property_protection_rule_format": "roles",
            "enabled_backends": "file:file",
        },
        "image_format": {"container_formats": "bare,docker"},
        "glance_store": {"default_backend": "file"},
        "file": {"filesystem_store_datadir": store / "images"},
        "os_glance_staging_store": {"filesystem_store_datadir": store / "staging"},
        "os_glance_tasks_store": {"filesystem_store_datadir": store / "tasks"},
        "paste_deploy": {"flavor": "keystone", "config_file": lab.venv / "etc/glance/glance-api-paste.ini"},
        "database": _database(lab, "glance"),
        **_common(lab, "glance"),
    }


def _placement(lab: settings.Lab) -> Sections:
    return {
        "DEFAULT": _log(),
        "api": {"auth_strategy": "keystone"},
        "placement_database": {"connection": database_url(lab, "placement")},
        "keystone_authtoken": _common(lab, "placement")["keystone_authtoken"],
    }


def _nova(lab: settings.Lab) -> Sections:
    return {
        "DEFAULT": {
            **_log(),
            "host": lab.host,
            "state_path": lab.data / "nova",
            "transport_url": _broker(lab),
            "enabled_apis": "osapi_compute",
            "osapi_compute_listen": "127.0.0.1",
            "osapi_compute_listen_port": settings.PORTS["nova"],
            "osapi_compute_workers": 1,
            "compute_driver": "docker.DockerDriver",
            "force_config_drive": False,
            # No Neutron agent runs here that would report a port as plugged.
            "vif_plugging_is_fatal": False,
            "vif_plugging_timeout": 0,
            # The first look for new hosts otherwise starts at a random moment within a minute.
            "periodic_fuzzy_delay": 0,
            "resume_guests_state_on_host_boot": True,
            "service_down_time": 120,
            "report_interval": 30,
            "ram_allocation_ratio": 1.0,
            "cpu_allocation_ratio": 16.0,
            "initial_cpu_allocation_ratio": 16.0,
        },
        "wsgi": {"api_paste_config": lab.venv / "etc/nova/api-paste.ini"},
        "api": {"auth_strategy": "keystone"},
        "conductor": {"workers": 1},
        "scheduler": {"workers": 1, "discover_hosts_in_cells_interval": 5},
        "filter_scheduler": {"enabled_filters": "ComputeFilter,ServerGroupAntiAffinityFilter"},
        "quota": {"instances": -1, "cores": -1, "ram": -1, "server_groups": -1, "server_group_members": -1},
        "placement": credentials(lab, "nova"),
        "neutron": credentials(lab, "nova"),
        "glance": {"api_servers": lab.url("glance")},
        "service_user": {"send_service_user_token": True, **credentials(lab, "nova")},
        "vnc": {"enabled": False},
        **_common(lab, "nova"),
    }


def _compute(lab: settings.Lab, host: compute_hosts.ComputeHost) -> Sections:
    """What one compute host has of its own.

    Each of several would offer all of the machine's memory, so that a part is reserved: they share it evenly.
    """
    hosts = len(compute_hosts.all_of(lab))
    return {
        "DEFAULT": {
            "host": host.name,
            # The address of the host, by which one that an instance moves to is known; all of 127.0.0.0/8 is loopback.
            "my_ip": f"127.0.0.{host.number}",
            # The identity of a compute host lies in there, as of 2023.1.
            "state_path": lab.data / host.unique("nova"),
            "reserved_host_memory_mb": 512 + _memory_mb() * (hosts - 1) // hosts,
        },
        "docker": {"host": host.docker, "data_backend": "loop"},
        "oslo_concurrency": {"lock_path": lab.data / host.unique("nova") / "locks"},
    }


def _memory_mb() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20


def _nova_database(lab: settings.Lab) -> Sections:
    """A file of its own: nova-compute refuses to start where it can see a database's address."""
    return {
        "api_database": {"connection": database_url(lab, "nova_api")},
        "database": _database(lab, "nova"),
    }


def _neutron(lab: settings.Lab) -> Sections:
    return {
        "DEFAULT": {
            **_log(),
            "bind_host": "127.0.0.1",
            "bind_port": settings.PORTS["neutron"],
            "state_path": lab.data / "neutron",
            "api_paste_config": lab.venv / "etc/neutron/api-paste.ini",
            "transport_url": _broker(lab),
            "core_plugin": "ml2",
            # Sahara asks for the quota of floating addresses, which only the router plugin knows.
            "service_plugins": "router",
            "notify_nova_on_port_status_changes": False,
            "notify_nova_on_port_data_changes": False,
            "dhcp_agent_notification": False,
            "api_workers": 0,
            "rpc_workers": 0,
            "rpc_state_report_workers": 0,
        },
        "ml2": {
            "type_drivers": "flat",
            "tenant_network_types": "",
            "mechanism_drivers": "sahara_docker_lab",
            "extension_drivers": "port_security",
        },
        "ml2_type_flat": {"flat_networks": "lab"},
        "quotas": {"quota_port": -1, "quota_security_group": -1, "quota_security_group_rule": -1},
        "database": _database(lab, "neutron"),
        **_common(lab, "neutron"),
    }


def _heat(lab: settings.Lab) -> Sections:
    return {
        "DEFAULT": {
            **_log(),
            "transport_url": _broker(lab),
            "num_engine_workers": 1,
            "region_name_for_services": settings.REGION,
            "deferred_auth_method": "trusts",
            # Heat insists on an address; nothing in the lab asks there, for containers have no cloud-init.
            "heat_metadata_server_url": "http://127.0.0.1:28000",
            "environment_dir": lab.venv / "etc/heat/environment.d",
            "template_dir": lab.venv / "etc/heat/templates",
            "max_resources_per_stack": -1,
            "max_stacks_per_tenant": -1,
        },
        # One worker is no worker: the process serves itself. None would mean one for each core, beside it.
        "heat_api": {"bind_host": "127.0.0.1", "bind_port": settings.PORTS["heat"], "workers": 1},
        "paste_deploy": {"api_paste_config": lab.venv / "etc/heat/api-paste.ini"},
        "trustee": _trustee(lab, "heat"),
        "clients_keystone": {"auth_uri": f"{lab.url('keystone')}/v3"},
        "database": _database(lab, "heat"),
        **_common(lab, "heat"),
    }


def _sahara(lab: settings.Lab) -> Sections:
    return {
        "DEFAULT": {
            **_log(),
            "host": "127.0.0.1",
            "port": settings.PORTS["sahara"],
            "transport_url": _broker(lab),
            "os_region_name": settings.REGION,
            "use_floating_ips": False,
            "use_rootwrap": False,
            "plugins": "cdh_docker",
            "job_binary_types": "internal-db,swift,s3,manila,hdfs",
            "remote": "docker",
            "api_paste_config": lab.venv / "etc/sahara/api-paste.ini",
            "api_workers": 0,
        },
        "trustee": _trustee(lab, "sahara"),
        "database": _database(lab, "sahara"),
        **_common(lab, "sahara"),
    }


def _rabbitmq(lab: settings.Lab) -> str:
    return _lines(
        {
            "listeners.tcp.1": f"127.0.0.1:{settings.PORTS['rabbitmq']}",
            "default_user": "openstack",
            "default_pass": lab.secrets["rabbitmq"],
            "vm_memory_high_watermark.absolute": "512MB",
            "log.console": True,
            "log.console.level": "warning",
        }
    )

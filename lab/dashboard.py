# SPDX-License-Identifier: Apache-2.0
"""The lab's dashboard, when one is asked for: Horizon with Sahara's pages, in a Python environment of its own."""

from __future__ import annotations

import shutil

from lab import extra, packages, rest, settings
from lab.service import Service

#: Whether a lab shall have it; set by ``make demo HORIZON=1``.
VARIABLE = "HORIZON"
NAME = "horizon"

_SETTINGS = """\
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
LOCAL_PATH = {place!r}
STATIC_ROOT = {static!r}
OPENSTACK_HOST = "127.0.0.1"
OPENSTACK_KEYSTONE_URL = {keystone!r}
# In place of a memcached; what a cookie holds is too little for a session.
SESSION_ENGINE = "django.contrib.sessions.backends.file"
SESSION_FILE_PATH = {place!r}
CACHES = {{"default": {{"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}}}
TIME_ZONE = "UTC"
# What the lab has none of.
OPENSTACK_NEUTRON_NETWORK = {{"enable_router": False, "enable_fip_topology_check": False, "enable_ha_router": False}}
"""

#: The form for a node group has a field for each of some 2640 options, more than sahara-dashboard's own setting allows.
_FORMS = "DATA_UPLOAD_MAX_NUMBER_FIELDS = 4000\n"


_EXTRA = extra.Extra(
    VARIABLE, "1", "dashboard", f"{VARIABLE} is neither 1 nor empty", f"give {VARIABLE}=1 for a dashboard"
)
choose, is_chosen = _EXTRA.choose, _EXTRA.is_chosen


def words(lab: settings.Lab) -> str:
    """Where a person finds it, and how to log in."""
    return f"{lab.url(NAME)} (user admin; the password is OS_PASSWORD in {lab.state}/openrc)"


def install(lab: settings.Lab) -> None:
    """Make or renew its environment, with Sahara's pages and this lab's settings in the places where Horizon looks."""
    home = packages.install_environment(lab, NAME, f"{NAME}.txt")
    site = next((home / "lib").glob("python3*/site-packages"))
    local = site / "openstack_dashboard" / "local"
    for directory in ("enabled", "local_settings.d"):  # as its installation guide says
        for file in (site / "sahara_dashboard" / directory).glob("_[0-9]*.py"):
            shutil.copy(file, local / directory)
    (local / "local_settings.d" / "_13_data_processing.py").write_text(_FORMS)  # behind sahara-dashboard's, number 12
    place = lab.data / NAME
    place.mkdir(parents=True, exist_ok=True)
    place.chmod(0o700)  # the key that it signs cookies with
    text = _SETTINGS.format(place=str(place), static=str(place / "static"), keystone=f"{lab.url('keystone')}/v3")
    (local / "local_settings.py").write_text(text)


def service(lab: settings.Lab) -> Service:
    """Horizon as one of the lab's services; its first page is ready, with all its styles compiled, when it is."""
    return Service(
        NAME,
        (str(lab.cache / NAME / "bin/python"), "-m", "lab.processes.dashboard_wsgi"),
        lambda started: rest.call("GET", f"{lab.url(NAME)}/auth/login/", timeout=60),
        ("keystone",),
        timeout=180,
    )

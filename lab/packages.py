# SPDX-License-Identifier: Apache-2.0
"""What the lab installs: distribution packages by apt, Python packages from the project's lock files."""

from __future__ import annotations

import ast
import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from lab import command, fingerprint, settings
from sahara_docker import exceptions

#: The interpreter of every environment of the lab; another 3.11 in ``PATH`` may lack venv or headers.
PYTHON = "/usr/bin/python3.11"

#: Program or file that shows a package is there, by package. The compiler and headers build the few source packages.
NEEDED = {
    "docker.io": ("dockerd", "/usr/bin/dockerd"),
    "mariadb-server": ("mariadbd", "/usr/sbin/mariadbd"),
    "rabbitmq-server": ("/usr/lib/rabbitmq/bin/rabbitmq-server",),
    "mmdebstrap": ("mmdebstrap",),
    "openssl": ("openssl",),
    "iproute2": ("ip",),
    "iptables": ("iptables", "/usr/sbin/iptables"),
    "gcc": ("gcc",),
    "libc6-dev": ("/usr/include/stdio.h",),
    "python3.11": (PYTHON,),
    "python3.11-venv": ("/usr/lib/python3.11/ensurepip/__init__.py",),
    "python3.11-dev": ("/usr/include/python3.11/Python.h",),
    "default-jdk-headless": ("javac",),
    "maven": ("mvn",),
}

#: Likewise for what the tests need besides: real switches, file systems, what gives containers a /proc of their own,
#: and a browser, which on Ubuntu, where it is none of apt's, has to be there already.
FOR_TESTS = {
    "openvswitch-switch": ("ovs-vswitchd",),
    "ovn-central": ("ovn-northd",),
    "ovn-host": ("ovn-controller",),
    "ethtool": ("ethtool",),
    "e2fsprogs": ("mke2fs",),
    "btrfs-progs": ("mkfs.btrfs",),
    "xfsprogs": ("mkfs.xfs",),
    "util-linux": ("losetup",),
    "lxcfs": ("lxcfs",),
    "chromium": ("chromium", "google-chrome"),
    "chromium-driver": ("chromedriver",),
}

#: Likewise for a lab with an object store, as the tests' is.
FOR_STORE = {"memcached": ("memcached",)}

#: Units of the servers that come with the packages, and where the units of a machine are.
SERVERS = (
    "docker.service",
    "docker.socket",
    "containerd.service",
    "mariadb.service",
    "rabbitmq-server.service",
    "epmd.socket",
    "epmd.service",
    "openvswitch-switch.service",
    "ovs-vswitchd.service",
    "ovsdb-server.service",
    "ovs-record-hostname.service",
    "ovn-central.service",
    "ovn-northd.service",
    "ovn-ovsdb-server-nb.service",
    "ovn-ovsdb-server-sb.service",
    "ovn-host.service",
    "ovn-controller.service",
    "lxcfs.service",
    "memcached.service",
)
UNIT_DIRECTORIES = tuple(map(Path, ("/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system")))
#: There when the machine was booted with systemd, see sd_booted(3).
SYSTEMD = Path("/run/systemd/system")

REQUIREMENTS = settings.CHECKOUT / "requirements"

#: uv's variable for each of pip's settings, its older name, and what separates several values in it.
UV_VARIABLES = {
    "index-url": ("UV_DEFAULT_INDEX", "UV_INDEX_URL", None),
    "extra-index-url": ("UV_INDEX", "UV_EXTRA_INDEX_URL", " "),
    "find-links": ("UV_FIND_LINKS", None, ","),
    "trusted-host": ("UV_INSECURE_HOST", None, " "),
    "cert": ("SSL_CERT_FILE", None, None),
}


def missing(*, tests: bool = False, store: bool = False) -> list[str]:
    """Distribution packages that are not there, judged by what they would bring.

    :param tests: with those that only the tests need.
    :param store: with those that only a lab with an object store needs.
    """
    needed = {**NEEDED, **(FOR_TESTS if tests else {}), **(FOR_STORE if store or tests else {})}

    def there(mark: str) -> bool:
        return Path(mark).exists() if mark.startswith("/") else shutil.which(mark) is not None

    return [package for package, marks in needed.items() if not any(there(mark) for mark in marks)]


def install_packages(lab: settings.Lab, packages: list[str]) -> None:
    """Install by apt, without starting the servers that come with the packages.

    What a run that was killed in the middle of apt has left is completed first, even when *packages* is empty.

    :raises SaharaDockerError: when this machine has no apt, or apt no Python 3.11.
    :raises CommandFailed: when apt fails.
    """
    half_installed = _half_installed()
    if not packages and not half_installed and not _held_back(lab).exists():
        return
    if not shutil.which("apt-get"):
        raise exceptions.SaharaDockerError(
            "packages are missing and this machine has no apt-get",
            observed=", ".join(packages),
            remedy="install them by hand, or run the lab on Debian 12 or Ubuntu 22.04",
        )
    # Nothing of the machine's owner goes: apt would remove a MySQL to make room for MariaDB.
    apt = ["apt-get", "-y", "--no-remove", "-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=2"]
    with _servers_held_back(lab):
        if half_installed:
            # Both may fail, over packages that are not the lab's: what counts is whether the install below succeeds.
            _run_apt(lab, ["dpkg", "--configure", "-a"], accept=(0, 1, 2))
            _run_apt(lab, [*apt, "-f", "install"], accept=(0, 100))
            packages = [one for one in missing(tests=True) if one in NEEDED or one in packages]
        if packages:
            _run_apt(lab, [*apt, "update"])
            if "python3.11" in packages:
                _demand_python()
            _run_apt(lab, [*apt, "install", "--no-install-recommends", *packages])


def _run_apt(lab: settings.Lab, words: list[str], accept: tuple[int, ...] = (0,)) -> None:
    command.run(
        words,
        log=lab.log / "apt.log",
        what="installing packages with apt",
        # RUNLEVEL 1 keeps scripts that use invoke-rc.d from starting servers; theirs would take ports and memory.
        environment={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"},
        timeout=900,
        accept=accept,
        interruptible=False,  # a half-configured package would stay in the way of every later run
    )


def _half_installed() -> bool:
    """Whether dpkg knows of packages that are neither installed nor absent; takes some 50 ms."""
    if not shutil.which("dpkg"):
        return False
    audit = subprocess.run(["dpkg", "--audit"], capture_output=True, timeout=60, check=False)
    return bool(audit.stdout.strip())


def _demand_python() -> None:
    """Raise unless apt, whose lists are up to date, can install Python 3.11."""
    words, variables = ["apt-cache", "policy", "python3.11"], {**os.environ, "LC_ALL": "C"}
    policy = subprocess.run(words, capture_output=True, text=True, env=variables, timeout=60, check=False).stdout
    if not re.search(r"Candidate: (?!\(none\))\S", policy):
        raise exceptions.SaharaDockerError(
            "the lab needs Python 3.11, which Debian 12 and Ubuntu 22.04 have",
            observed=f"no {PYTHON}, and apt knows no package python3.11",
            remedy="take such a machine (on Ubuntu with the component universe), or add a source that has python3.11",
        )


def _held_back(lab: settings.Lab) -> Path:
    """Names of the units that are masked; it outlives a run that was killed, so that the next one unmasks them."""
    return lab.cache / "units-held-back"


@contextlib.contextmanager
def _servers_held_back(lab: settings.Lab) -> Iterator[None]:
    """Keep systemd from starting the servers whose units the packages bring; one that is there already is let alone.

    Maintainer scripts start servers by deb-systemd-invoke, which passes over masked units and ignores RUNLEVEL.
    """
    if not SYSTEMD.is_dir():
        yield
        return
    record = _held_back(lab)
    units = record.read_text().split() if record.exists() else []
    units += [unit for unit in SERVERS if unit not in units and not _is_unit(unit)]
    if not units:
        yield
        return
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text("\n".join(units))
    try:
        _systemctl(lab, "mask", units)
        yield
    finally:
        _systemctl(lab, "unmask", units)
        record.unlink()


def _is_unit(name: str) -> bool:
    """Whether the machine has that unit; one masked for good does not count, for the package may unmask it."""
    files = [directory / name for directory in UNIT_DIRECTORIES]
    return any(file.exists() and file.resolve() != Path(os.devnull) for file in files)


def _systemctl(lab: settings.Lab, verb: str, units: list[str]) -> None:
    # At run time only: a reboot ends it too, should this run be killed.
    words = ["systemctl", verb, "--runtime", *units]
    command.run(words, log=lab.log / "apt.log", what=f"systemctl {verb} of servers", timeout=60, interruptible=False)


def uv(lab: settings.Lab) -> Path:
    """The installer, itself from a lock file."""
    home, lock = lab.cache / "uv", REQUIREMENTS / "uv.txt"
    if not _stamped(home, lock):
        shutil.rmtree(home, ignore_errors=True)
        log = lab.log / "uv.log"
        command.run([PYTHON, "-m", "venv", home], log=log, what="making a Python environment for uv", timeout=120)
        pip = [home / "bin/python", "-m", "pip", "install", "--quiet", "--no-cache-dir", "--require-hashes", "-r", lock]
        command.run(pip, log=log, what="installing uv with pip", timeout=300)
        _stamp(home, lock)
    return home / "bin/uv"


def _stamped(home: Path, *inputs: Path) -> bool:
    stamp = home / "fingerprint"
    return stamp.exists() and stamp.read_text() == fingerprint.of(*inputs)


def _stamp(home: Path, *inputs: Path) -> None:
    (home / "fingerprint").write_text(fingerprint.of(*inputs))


def uv_environment(lab: settings.Lab) -> dict[str, str]:
    """Environment for uv, with the machine's pip settings in uv's own names; :func:`uv` must have been called.

    A variable of uv that the caller has set wins over pip's settings.
    """
    words = [str(lab.cache / "uv/bin/python"), "-m", "pip", "config", "list"]
    listing = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    if listing.returncode:
        raise exceptions.SaharaDockerError("pip cannot read its settings", observed=listing.stderr.strip())
    variables = {**os.environ, "UV_CACHE_DIR": str(lab.cache / "uv-cache"), "UV_PYTHON_DOWNLOADS": "never"}
    for name, value in _pip_settings(listing.stdout).items():
        variable, older, separator = UV_VARIABLES[name]
        if variable not in variables and older not in variables:
            variables[variable] = separator.join(value.split()) if separator else value
    if "UV_INDEX" in variables:
        # As pip: the index that has the version. uv stops at the first that has the name; the lock's hashes guard us.
        variables.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return variables


def _pip_settings(listing: str) -> dict[str, str]:
    """Those settings that uv has too, from the output of ``pip config list``.

    Its lines, such as ``global.index-url='https://...'``, are sorted by name and not by weight: pip takes the
    environment (``:env:``) before the section of its command, and that before ``global``.
    """
    found = {}
    for section in ("global", "install", ":env:"):
        for line in listing.splitlines():
            key, _, value = line.partition("=")
            of, _, name = key.rpartition(".")
            if of == section and name in UV_VARIABLES:
                found[name] = ast.literal_eval(value)
    if "find-links" in found:
        places = [place if "://" in place else os.path.expanduser(place) for place in found["find-links"].split()]
        # pip passes over a directory that is not there, uv fails.
        found["find-links"] = " ".join(place for place in places if "://" in place or os.path.exists(place))
    return {name: value for name, value in found.items() if value.strip()}


def install_environment(lab: settings.Lab, name: str = "openstack", lock: str = "openstack-2023.2.txt") -> Path:
    """Make or renew the Python environment *name* from *lock*; return its path."""
    home, file = lab.cache / name, REQUIREMENTS / lock
    if not _stamped(home, file):
        tool, log = uv(lab), lab.log / f"{name}-packages.log"
        variables = uv_environment(lab)
        shutil.rmtree(home, ignore_errors=True)
        what = f"installing the Python packages of {lock}"
        command.run([tool, "venv", "--python", PYTHON, home], log=log, what=what, environment=variables)
        words = ["--python", home / "bin/python", "--build-constraint", REQUIREMENTS / "build.txt"]
        words += ["--require-hashes", "-r", file]
        command.run([tool, "pip", "install", *words], log=log, what=what, environment=variables, timeout=900)
        _stamp(home, file)
    return home


def install_project(lab: settings.Lab, name: str = "openstack") -> bool:
    """Build the project's wheel and install it into environment *name*; True when that changed something."""
    sources = _sources()
    stamp = lab.cache / name / "project-fingerprint"  # within the environment: it goes when that is made anew
    if stamp.exists() and stamp.read_text() == fingerprint.of(*sources):
        return False
    wheel = build_wheel(lab, name)
    words = ["--python", lab.cache / name / "bin/python", "--no-deps", "--reinstall"]
    command.run(
        [uv(lab), "pip", "install", *words, wheel],
        log=lab.log / "project.log",
        what="installing this project",
        environment=uv_environment(lab),
        timeout=300,
    )
    stamp.write_text(fingerprint.of(*sources))
    return True


def _sources() -> list[Path]:
    """What the project's wheel is built from."""
    names = ("sahara_docker", "nova", "images", "setup.cfg", "setup.py", "pyproject.toml")
    return [settings.CHECKOUT / one for one in (*names, "README.md", "LICENSE", "requirements.txt")]


def build_wheel(lab: settings.Lab, name: str) -> Path:
    """Build the project's wheel with the tools in environment *name* and return its path.

    It is built from a copy, for the build writes next to the sources.
    """
    copy = lab.cache / "source"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir(parents=True)
    for source in _sources():
        if source.is_dir():
            shutil.copytree(source, copy / source.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    tool = uv(lab)
    # The version otherwise comes from git, which may be absent or owned by somebody else.
    variables = {**uv_environment(lab), "PBR_VERSION": "0.1.0"}
    words = ["--python", lab.cache / name / "bin/python", "--no-build-isolation", "--out-dir", copy / "dist"]
    command.run(
        [tool, "build", "--wheel", *words, copy],
        log=lab.log / "project.log",
        what="building this project's wheel",
        environment=variables,
        timeout=300,
    )
    return next((copy / "dist").glob("*.whl"))


def provide_path(lab: settings.Lab) -> None:
    """A directory for PYTHONPATH that holds the lab's package and its plug point, and nothing else of the checkout.

    The services must find ``sahara_docker`` where an operator's services find it: installed.
    """
    path = lab.cache / "path"
    path.mkdir(parents=True, exist_ok=True)
    link = path / "lab"
    if not link.is_symlink() or link.resolve() != settings.CHECKOUT / "lab":
        link.unlink(missing_ok=True)
        link.symlink_to(settings.CHECKOUT / "lab")
    information = path / "sahara_docker_lab-0.dist-info"
    information.mkdir(exist_ok=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: sahara-docker-lab\nVersion: 0\n")
    (information / "entry_points.txt").write_text(
        "[neutron.ml2.mechanism_drivers]\nsahara_docker_lab = lab.processes.ml2_driver:LabMechanismDriver\n"
    )

# SPDX-License-Identifier: Apache-2.0
"""What the lab installs: distribution packages by apt, Python packages from the project's lock files."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from lab import command, settings
from sahara_docker import exceptions

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
    "python3.11": ("python3.11",),
    "python3.11-venv": ("/usr/lib/python3.11/ensurepip/__init__.py",),
    "python3.11-dev": ("/usr/include/python3.11/Python.h",),
    "default-jdk-headless": ("javac",),
    "maven": ("mvn",),
}

REQUIREMENTS = settings.CHECKOUT / "requirements"
PYTHON = "/usr/bin/python3.11"


def missing() -> list[str]:
    """Distribution packages that are not there, judged by what they would bring."""

    def there(mark: str) -> bool:
        return Path(mark).exists() if mark.startswith("/") else shutil.which(mark) is not None

    return [package for package, marks in NEEDED.items() if not any(there(mark) for mark in marks)]


def install_packages(lab: settings.Lab, packages: list[str]) -> None:
    """Install by apt, without starting the servers that come with the packages."""
    if not packages:
        return
    if not shutil.which("apt-get"):
        raise exceptions.SaharaDockerError(
            "packages are missing and this machine has no apt-get",
            observed=", ".join(packages),
            remedy="install them by hand, or run the lab on Debian 12 or Ubuntu 22.04",
        )
    log = lab.log / "apt.log"
    # RUNLEVEL 1 keeps maintainer scripts from starting servers; theirs would take ports and memory.
    variables = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    apt = ["apt-get", "-y", "-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=2"]
    # Never cut short: a half-configured package would stay in the way of every later run.
    for words in (["update"], ["install", "--no-install-recommends", *packages]):
        command.run(
            [*apt, *words],
            log=log,
            what="installing packages with apt",
            environment=variables,
            timeout=900,
            interruptible=False,
        )


def _fingerprint(*paths: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file() and p.suffix != ".pyc") if path.is_dir() else [path]
        for file in files:
            digest.update(str(file.relative_to(settings.CHECKOUT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _uv(lab: settings.Lab) -> Path:
    """The installer, itself from a lock file."""
    home, lock = lab.cache / "uv", REQUIREMENTS / "uv.txt"
    if not _stamped(home, lock):
        shutil.rmtree(home, ignore_errors=True)
        log = lab.log / "uv.log"
        command.run([PYTHON, "-m", "venv", home], log=log, what="making a Python environment for uv", timeout=120)
        pip = [home / "bin/python", "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock]
        command.run(pip, log=log, what="installing uv with pip", timeout=300)
        _stamp(home, lock)
    return home / "bin/uv"


def _stamped(home: Path, *inputs: Path) -> bool:
    stamp = home / "fingerprint"
    return stamp.exists() and stamp.read_text() == _fingerprint(*inputs)


def _stamp(home: Path, *inputs: Path) -> None:
    (home / "fingerprint").write_text(_fingerprint(*inputs))


def _uv_environment(lab: settings.Lab) -> dict[str, str]:
    """uv knows pip's settings only under its own names."""
    variables = {**os.environ, "UV_CACHE_DIR": str(lab.cache / "uv-cache"), "UV_PYTHON_DOWNLOADS": "never"}
    for name, pip_name in (("UV_DEFAULT_INDEX", "global.index-url"), ("UV_INDEX", "global.extra-index-url")):
        configured = subprocess.run(
            [sys.executable, "-m", "pip", "config", "get", pip_name], capture_output=True, text=True, check=False
        ).stdout.strip()
        if configured and name not in variables:
            variables[name] = configured
    if os.environ.get("PIP_INDEX_URL"):
        variables.setdefault("UV_DEFAULT_INDEX", os.environ["PIP_INDEX_URL"])
    if os.environ.get("PIP_CERT"):
        variables.setdefault("SSL_CERT_FILE", os.environ["PIP_CERT"])
    return variables


def install_environment(lab: settings.Lab, name: str = "openstack", lock: str = "openstack-2023.2.txt") -> Path:
    """Make or renew the Python environment *name* from *lock*; return its path."""
    home, file = lab.cache / name, REQUIREMENTS / lock
    if not _stamped(home, file):
        uv, log, variables = _uv(lab), lab.log / f"{name}-packages.log", _uv_environment(lab)
        shutil.rmtree(home, ignore_errors=True)
        what = f"installing the Python packages of {lock}"
        command.run([uv, "venv", "--python", PYTHON, home], log=log, what=what, environment=variables)
        words = [uv, "pip", "install", "--python", home / "bin/python", "--require-hashes", "-r", file]
        command.run(words, log=log, what=what, environment=variables, timeout=900)
        _stamp(home, file)
    return home


def install_project(lab: settings.Lab, name: str = "openstack") -> bool:
    """Build the project's wheel and install it into environment *name*; True when that changed something.

    It is built from a copy, for the build writes next to the sources.
    """
    sources = [settings.CHECKOUT / one for one in ("sahara_docker", "nova", "setup.cfg", "setup.py", "pyproject.toml")]
    sources += [settings.CHECKOUT / one for one in ("README.md", "LICENSE", "requirements.txt")]
    stamp = lab.cache / name / "project-fingerprint"  # within the environment: it goes when that is made anew
    if stamp.exists() and stamp.read_text() == _fingerprint(*sources):
        return False
    copy = lab.cache / "source"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir(parents=True)
    for source in sources:
        if source.is_dir():
            shutil.copytree(source, copy / source.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    # The version otherwise comes from git, which may be absent or owned by somebody else.
    variables = {**_uv_environment(lab), "PBR_VERSION": "0.1.0"}
    words = ["--python", lab.cache / name / "bin/python", "--no-deps", "--no-build-isolation", "--reinstall"]
    command.run(
        [_uv(lab), "pip", "install", *words, copy],
        log=lab.log / "project.log",
        what="installing this project",
        environment=variables,
        timeout=300,
    )
    stamp.write_text(_fingerprint(*sources))
    return True


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

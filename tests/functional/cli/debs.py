# SPDX-License-Identifier: Apache-2.0
"""Packages that stand in for Cloudera's: the lab's stand-in for Cloudera Manager, cut into packages of their names."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from lab import settings
from sahara_docker.cli.image import software

_STAND_IN = settings.CHECKOUT / "lab" / "cloudera_manager"
_FILES = settings.CHECKOUT / "images" / "lab" / "rootfs"
_SCRIPT = "#!/bin/sh\nset -e\n"
_INSTALLED = {
    "cloudera-manager-server-db-2": (
        "useradd --system --user-group cloudera-scm\n"
        "install -d -o cloudera-scm -g cloudera-scm /var/lib/cloudera-scm-server-db /var/log/cloudera-scm-server\n"
        "/etc/init.d/cloudera-scm-server-db prepare\n"
    ),
    "cloudera-manager-agent": "install -d /var/lib/cloudera-scm-agent /var/log/cloudera-scm-agent\n",
    "hadoop-hdfs-namenode": "useradd --system --create-home hdfs\n",
}


def make(place: Path) -> list[Path]:
    """One package for each name that a node is made of, in *place*."""
    return [_package(place, name) for name in software.names([], [])]


def index(place: Path) -> None:
    """Write the list of the packages in *place* that apt reads, which makes a repository of it."""
    entries = []
    for path in sorted(place.glob("*.deb")):
        control = subprocess.run(["dpkg-deb", "-f", path], check=True, capture_output=True, text=True).stdout
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        entries.append(f"{control}Filename: {path.name}\nSize: {len(content)}\nSHA256: {digest}\n")
    (place / "Packages").write_text("\n".join(entries))


def _package(place: Path, name: str) -> Path:
    root = place / "work" / name
    control = root / "DEBIAN"
    control.mkdir(parents=True)
    (control / "control").write_text(
        f"Package: {name}\nVersion: 5.13.0\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\n"
        f"Description: stands in for Cloudera's {name}\n"
    )
    _fill(name, root)
    if name in _INSTALLED:
        (control / "postinst").write_text(_SCRIPT + _INSTALLED[name])
        (control / "postinst").chmod(0o755)
    target = place / f"{name}_5.13.0_all.deb"
    subprocess.run(
        ["dpkg-deb", "--build", "--root-owner-group", "-Znone", str(root), str(target)], check=True, capture_output=True
    )
    shutil.rmtree(root)
    return target


def _fill(name: str, root: Path) -> None:
    init = root / "etc" / "init.d"
    if name == "cloudera-manager-daemons":
        shutil.copytree(
            _STAND_IN, root / "opt" / "cloudera-manager" / _STAND_IN.name, ignore=shutil.ignore_patterns("__pycache__")
        )
    if name in ("cloudera-manager-server", "cloudera-manager-agent"):
        init.mkdir(parents=True)
        shutil.copy2(_STAND_IN / "init.d" / name.replace("manager", "scm"), init)
    if name == "cloudera-manager-agent":
        shutil.copytree(_FILES / "etc" / "cloudera-scm-agent", root / "etc" / "cloudera-scm-agent")
    if name == "cloudera-manager-server-db-2":
        init.mkdir(parents=True)
        shutil.copy2(_FILES / "etc" / "init.d" / "cloudera-scm-server-db", init)
    if name == "hadoop-hdfs-namenode":
        (root / "usr" / "bin").mkdir(parents=True)
        (root / "usr" / "bin" / "hdfs").write_text("#!/bin/sh\n")
        (root / "usr" / "bin" / "hdfs").chmod(0o755)

# SPDX-License-Identifier: Apache-2.0
"""The root file system below the node image: packages of this machine's own distribution, by mmdebstrap.

No container registry is needed. The packages come from the sources that apt is configured with, and with its proxy.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from lab import command, fingerprint
from sahara_docker import exceptions

#: All that a node will ever need: containers have no way to fetch more.
PACKAGES = (
    "ca-certificates",
    "curl",
    "iproute2",
    "less",
    "libnss-myhostname",
    "openjdk-17-jre-headless",
    "openssh-server",
    "postgresql",
    "procps",
    "python3",
    "sudo",
    "tini",
    "unzip",
)

#: Left out of the packages, for an image is uploaded, stored and loaded as a whole: documentation and translations;
#: PostgreSQL's compiler for long queries (150 MB of LLVM; it works without); Java's archive of classes for heaps above
#: 32 GB and its compiler's symbols; character sets other than Unicode.
EXCLUDED = (
    "/usr/share/doc/*",
    "/usr/share/info/*",
    "/usr/share/man/*",
    "/usr/share/locale/*",
    "/usr/share/i18n/*",
    "/usr/share/fonts/*",
    "/usr/lib/*/gconv/*",
    "/usr/lib/*/libLLVM-*",
    "/usr/lib/*/libz3.*",
    "/usr/lib/postgresql/*/lib/bitcode/*",
    "/usr/lib/postgresql/*/lib/llvmjit*",
    "/usr/lib/jvm/*/lib/ct.sym",
    "/usr/lib/jvm/*/lib/server/classes_nocoops.jsa",
    "/usr/lib/*/perl/*/Encode/??/*",
    "/usr/share/perl/*/Unicode/Collate/*",
)
#: Licences stay.
INCLUDED = ("/usr/share/doc/*/copyright",)

#: Before the packages: directories that Java's scripts want though their content is left out, and no database cluster
#: by default.
PREPARATION = (
    'mkdir -p "$1/usr/share/man/man1" "$1/usr/share/man/man7" "$1/etc/postgresql-common" && '
    'echo create_main_cluster=false >"$1/etc/postgresql-common/createcluster.conf"'
)
#: After them: this machine's proxy and apt settings are nothing for an image.
CLEANING = 'rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1"/var/log/*.log "$1"/var/log/apt/*'

_OS_RELEASE = Path("/etc/os-release")
_APT = Path("/etc/apt")
#: What of apt's configuration says how to reach a source.
_FETCHING = ("Acquire::http::", "Acquire::https::", "Acquire::Check-", "Acquire::Retries", "Acquire::ForceIPv4")


class NoBase(exceptions.SaharaDockerError):
    """The base cannot be made on this machine."""


def release(os_release: Path = _OS_RELEASE) -> str:
    """Code name of this machine's distribution, such as ``bookworm``.

    :raises NoBase: it has none.
    """
    lines = os_release.read_text().splitlines() if os_release.exists() else []
    for line in lines:
        name, _, value = line.partition("=")
        if name == "VERSION_CODENAME" and value.strip('"'):
            return value.strip('"')
    raise NoBase("the distribution has no code name", where=str(os_release), remedy="use Debian 12 or Ubuntu 22.04")


def sources(codename: str, apt: Path = _APT) -> list[Path]:
    """Apt's source files that name *codename* or one of its pockets, so not those of unrelated third parties.

    :raises NoBase: there is none.
    """
    candidates = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    found = [path for path in candidates if path.suffix in (".list", ".sources") and _names(path, codename)]
    if not found:
        raise NoBase(f"no package source of {codename}", where=str(apt), remedy="give apt a source of the distribution")
    return found


def _names(path: Path, codename: str) -> bool:
    if not path.is_file():
        return False
    words = [
        word for line in path.read_text().splitlines() if not line.lstrip().startswith("#") for word in line.split()
    ]
    return any(word == codename or word.startswith(f"{codename}-") for word in words)


def identity() -> str:
    """Fingerprint of what a base would be made from now.

    :raises NoBase: see :func:`release` and :func:`sources`.
    """
    codename = release()
    recipe = "\n".join((codename, *PACKAGES, *EXCLUDED, *INCLUDED, PREPARATION, CLEANING))
    return fingerprint.of(recipe, *sources(codename))


def make(archive: Path, log: Path, timeout: float = 900) -> None:
    """Write the file system as tar to *archive*, which appears only when it is complete.

    :param log: takes mmdebstrap's output.
    :param timeout: seconds.
    :raises NoBase: mmdebstrap is missing, or there is nothing to make a base from.
    :raises lab.command.CommandFailed: it failed; with its last lines and the log's path.
    """
    if not shutil.which("mmdebstrap"):
        raise NoBase("no mmdebstrap on this machine", remedy="install the package mmdebstrap")
    codename = release()
    archive.parent.mkdir(parents=True, exist_ok=True)
    work = archive.with_name("mmdebstrap")
    shutil.rmtree(work, ignore_errors=True)  # of a run that was killed
    work.mkdir(mode=0o755)
    new = archive.with_name(archive.name + ".new")
    options = [f"path-exclude={pattern}" for pattern in EXCLUDED] + [f"path-include={pattern}" for pattern in INCLUDED]
    words: list[str | Path] = ["mmdebstrap", "--variant=minbase", "--format=tar", "--skip=check/empty"]
    words += [f"--aptopt={option}" for option in _fetching_options()]
    # An interrupted build is thrown away, so nothing needs to be flushed to the disk on the way.
    words += [f"--dpkgopt={option}" for option in ("force-unsafe-io", *options)]
    words += [f"--essential-hook={PREPARATION}", f"--customize-hook={CLEANING}", f"--include={','.join(PACKAGES)}"]
    words += [codename, new, *sources(codename)]
    command.run(
        words,
        log=log,
        what="making the Debian base",
        timeout=timeout,
        environment={**os.environ, "TMPDIR": str(work), "DEBIAN_FRONTEND": "noninteractive"},
    )
    new.rename(archive)
    shutil.rmtree(work, ignore_errors=True)


def _fetching_options() -> list[str]:
    """This machine's apt settings about proxies and the like, in the form of a configuration file."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, timeout=30, check=False).stdout
    return ['Acquire::Languages "none"', *(line.rstrip(";") for line in dump.splitlines() if _is_fetching(line))]


def _is_fetching(line: str) -> bool:
    words = shlex.split(line.rstrip(";"))
    return line.startswith(_FETCHING) and len(words) == 2 and bool(words[1])

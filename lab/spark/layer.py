# SPDX-License-Identifier: Apache-2.0
"""Lay out Spark for the node image: ``opt/spark``, and ``usr/bin/spark-submit``.

Spark comes from PyPI's source archive of pyspark, which has all of its jars; Maven Central has them one by one, and no
Python library. Of the archive's 318 MB stays what a job on YARN needs. Where Hadoop has a library in the image already,
Spark's directory holds a link to that one: so both sides of every connection run the same client, and the image holds
it once.
"""

from __future__ import annotations

import fnmatch
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

from lab import command, fingerprint, packages
from sahara_docker import exceptions

HERE = Path(__file__).parent

#: The version and the archive's hash, as pip reads them.
PIN = HERE / "pyspark.txt"

#: Jars of the archive that are left out, by what they are for.
DROPPED = {
    "Hadoop's clients and what comes with them, all of which the node has": (
        "hadoop-*", "zookeeper-*", "curator-*", "guava-*", "audience-annotations-*", "netty-*", "commons-cli-*",
        "commons-codec-*", "commons-collections4-*", "commons-compress-*", "commons-io-*", "commons-lang3-*",
        "commons-logging-*", "commons-math3-*", "commons-text-*", "gson-*", "httpclient-*", "httpcore-*", "jsr305-*",
        "javassist-*", "avro-1*", "snappy-java-*", "leveldbjni-*",
    ),
    "other cluster managers": (
        "kubernetes-*", "spark-kubernetes*", "okhttp-*", "okio-*", "logging-interceptor-*", "zjsonpatch-*",
        "snakeyaml-*", "jackson-dataformat-yaml-*", "mesos-*", "spark-mesos*",
    ),
    "Hive's tables and metastore": (
        "spark-hive*", "hive-[!s]*", "hive-serde-*", "hive-service-*", "hive-shims-*", "datanucleus-*", "derby-*",
        "bonecp-*", "HikariCP-*", "jdo-api-*", "javax.jdo-*", "jpam-*", "libfb303-*", "libthrift-*", "ST4-*",
        "antlr-runtime-*", "super-csv-*", "opencsv-*", "jta-*", "transaction-api-*", "javolution-*", "jodd-*",
        "commons-dbcp-*", "commons-pool-*", "json-1*", "stax-api-*", "dropwizard-metrics-hadoop-*",
        "jackson-core-asl-*", "jackson-mapper-asl-*",
    ),
    "machine learning and graphs; in Python they need NumPy, which no node has": (
        "spark-mllib*", "spark-graphx*", "breeze*", "spire*", "algebra*", "cats-kernel*", "JTransforms-*",
        "JLargeArrays-*", "arpack*", "lapack-*", "blas-*",
    ),
    "the interactive shell": ("scala-compiler-*", "spark-repl*", "jline-*"),
    "a state store for streams, of 59 MB": ("rocksdbjni-*",),
}  # fmt: skip

#: Hadoop's jars that take the place of those, without their versions.
LINKED = (
    "hadoop-annotations", "hadoop-auth", "hadoop-common", "hadoop-hdfs-client", "hadoop-mapreduce-client-common",
    "hadoop-mapreduce-client-core", "hadoop-mapreduce-client-jobclient", "hadoop-shaded-guava",
    "hadoop-shaded-protobuf_3_25", "hadoop-yarn-api", "hadoop-yarn-client", "hadoop-yarn-common",
    "hadoop-yarn-server-web-proxy", "avro", "audience-annotations", "commons-cli", "commons-codec",
    "commons-collections4", "commons-compress", "commons-configuration2", "commons-io", "commons-lang3",
    "commons-logging", "commons-math3", "commons-text", "failureaccess", "gson", "guava", "httpclient", "httpcore",
    "javassist", "jsr305", "leveldbjni-all", "netty-buffer", "netty-codec", "netty-codec-http", "netty-codec-http2",
    "netty-codec-socks", "netty-common", "netty-handler", "netty-handler-proxy", "netty-resolver", "netty-transport",
    "netty-transport-classes-epoll", "netty-transport-native-epoll", "netty-transport-native-unix-common", "re2j",
    "jetty-client", "jetty-http", "jetty-io", "jetty-util", "websocket-api", "websocket-client", "websocket-common",
    "snappy-java", "stax2-api", "woodstox-core", "zookeeper", "zookeeper-jute",
)  # fmt: skip

#: Where Hadoop's jars lie on a node.
HADOOP = "/opt/hadoop/lib"

PROGRAMS = ("find-spark-home", "load-spark-env.sh", "spark-class", "spark-submit")

#: Seconds for pip to fetch the archive, on a slow line too.
FETCH_TIMEOUT = 1800


def fetch(target: Path, hadoop: str, progress: Callable[[str], None]) -> None:
    """Fetch what :func:`build` needs, if it needs anything.

    :param target: a directory whose content is copied to ``/`` of the image.
    :param hadoop: name of the directory with Hadoop's jars; another name is another Hadoop.
    :param progress: takes one line about what is going on.
    :raises lab.command.CommandFailed: with its last lines and the log's path; ``log`` is beside ``layers``.
    """
    archive = _archive(target)
    if archive.exists() or _is_complete(target, hadoop):
        return
    progress("fetching Spark")
    log = target.parents[1] / "log" / "spark.log"
    home, new = archive.parent, archive.parent / "new"
    shutil.rmtree(home, ignore_errors=True)
    command.run([packages.PYTHON, "-m", "venv", home], log=log, what="making a Python environment for pip", timeout=300)
    # The archive as it is: it is not built, and pip's look at its version needs no more than setuptools.
    words = ["download", "--no-cache-dir", "--no-deps", "--no-binary=:all:", "--no-build-isolation", "--no-use-pep517"]
    pip = [home / "bin/python", "-m", "pip", *words, "--require-hashes", f"--requirement={PIN}", f"--dest={new}"]
    command.run(pip, log=log, what="fetching Spark with pip", timeout=FETCH_TIMEOUT)
    next(new.glob("pyspark-*.tar.gz")).rename(archive)


def build(target: Path, hadoop: Path, progress: Callable[[str], None]) -> None:
    """Make ``target/opt/spark``, anew when something of it changed since the last time; :func:`fetch` comes before.

    :param target: a directory whose content is copied to ``/`` of the image.
    :param hadoop: the directory with the jars that the image has in :data:`HADOOP`.
    :param progress: takes one line about what is going on.
    :raises SaharaDockerError: the archive or *hadoop* does not hold what the tables of this module say.
    """
    home = target / "opt" / "spark"
    if not _is_complete(target, hadoop.name):
        progress("unpacking Spark")
        shutil.rmtree(target, ignore_errors=True)
        _unpack(_archive(target), home)
        _link(hadoop, home / "jars")
        (home / "classpath").write_text("/opt/spark/jars/*\n")
        for directory in ("etc/spark/conf", "usr/bin"):
            (target / directory).mkdir(parents=True)
        _stamp(target).write_text(_recipe(hadoop.name))
        shutil.rmtree(_archive(target).parent)
    shutil.copy(HERE / "bin" / "spark-submit", target / "usr" / "bin")


def _unpack(archive: Path, home: Path) -> None:
    used: set[str] = set()
    with tarfile.open(archive) as tar:
        for member in tar:
            place = _place(member.name.partition("/")[2], used)
            if member.isfile() and place:
                file = home / place
                file.parent.mkdir(parents=True, exist_ok=True)
                with file.open("wb") as stream:
                    shutil.copyfileobj(tar.extractfile(member), stream)  # type: ignore[arg-type]
                file.chmod(0o755 if place.startswith("bin/") else 0o644)
    unused = {pattern for patterns in DROPPED.values() for pattern in patterns} - used
    if unused:
        raise _changed(archive, f"no jar is called {', '.join(sorted(unused))}")


def _place(path: str, used: set[str]) -> str | None:
    """Where below ``opt/spark`` a file of the archive goes, None when it is left out; *used* takes the pattern's name.

    The archive has Spark's own tree in ``deps`` and its Python library, zipped, in ``lib``.
    """
    directory, _, name = path.rpartition("/")
    if directory == "deps/jars":
        for patterns in DROPPED.values():
            for pattern in patterns:
                if fnmatch.fnmatchcase(name, pattern):
                    used.add(pattern)
                    return None
        return f"jars/{name}"
    if directory == "deps/bin":
        return f"bin/{name}" if name in PROGRAMS else None
    if directory == "deps/licenses":
        return f"licenses/{name}"
    return f"python/lib/{name}" if directory == "lib" else None


def _link(hadoop: Path, jars: Path) -> None:
    for artifact in LINKED:
        found = sorted(hadoop.glob(f"{artifact}-[0-9]*.jar"))
        plain = [jar for jar in found if "linux" not in jar.name]
        if len(plain) != 1:
            raise _changed(hadoop, f"{len(plain)} jars of {artifact}")
        for jar in found:
            (jars / jar.name).symlink_to(f"{HADOOP}/{jar.name}")


def _changed(where: Path, observed: str) -> exceptions.SaharaDockerError:
    return exceptions.SaharaDockerError(
        "Spark's layer does not fit its parts", where=str(where), observed=observed, remedy="mend lab/spark/layer.py"
    )


def _archive(target: Path) -> Path:
    return target.parents[1] / "pyspark" / "archive.tar.gz"


def _stamp(target: Path) -> Path:
    """Says that all is there, and what it was made from."""
    return target / "opt" / "spark" / "recipe"


def _recipe(hadoop: str) -> str:
    return fingerprint.of(PIN, Path(__file__), hadoop)


def _is_complete(target: Path, hadoop: str) -> bool:
    return _stamp(target).is_file() and _stamp(target).read_text() == _recipe(hadoop)

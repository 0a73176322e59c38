# SPDX-License-Identifier: Apache-2.0
"""Builds the lab's node image: a Debian base, Hadoop and its kin, the stand-in for Cloudera Manager, a login.

Three images stand on one another, each named after the fingerprint of all it was made from::

    base       packages of the distribution                            lab.debian_base
    software   Hadoop, PostgreSQL's first data                         lab.hadoop, images/lab
    node       Oozie, HBase, Hive, Kafka, S3A, Spark                   lab.oozie, lab.hbase, lab.hive, lab/kafka,
                                                                       lab/s3a, lab.spark, images/layers
               init, sshd, the stand-in, the login and its password    images/node, lab/cloudera_manager

So a change costs what stands above it: a new password or another line in the stand-in some seconds, nothing changed
next to nothing. Images are built by Docker's classic builder without a network.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from lab import command, debian_base, docker_engine, fingerprint, layer
from lab.hadoop import jars
from lab.hbase import layer as hbase
from lab.hive import layer as hive
from lab.oozie import layer as oozie
from lab.spark import layer as spark
from sahara_docker import exceptions
from sahara_docker.cli.image import recipe

USER = "cdh"
REPOSITORY = "sahara-docker-lab"
#: Every image that this module makes has a tag that starts with one of these.
REPOSITORIES = (f"{REPOSITORY}/base:", f"{REPOSITORY}/software:", f"{REPOSITORY}/node:")

_LAB = Path(__file__).resolve().parent
_IMAGES = recipe.place()
_STAND_IN = _LAB / "cloudera_manager"

Progress = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class Image:
    """A node image in a Docker daemon.

    :param tag: its name there.
    :param id: Docker's id, ``sha256:...``.
    :param archive: what ``docker save`` wrote of it, for Glance.
    :param seconds: how long :func:`build` took.
    """

    tag: str
    id: str
    archive: Path
    seconds: float


def prepare(state_dir: Path, progress: Progress) -> None:
    """Fetch and lay out what needs packages but no Docker: the Debian base beside Hadoop and what belongs to it.

    :raises SaharaDockerError: with the cause and the log to read.
    """

    def java() -> None:  # one after the other: Maven's local repository is not made for two at a time
        if not _jars(state_dir).exists():
            progress("fetching Hadoop")
            jars.fetch(_jars(state_dir), state_dir / "log" / "hadoop.log")
        oozie.build(state_dir / "layers" / "oozie", progress)
        hbase.build(state_dir / "layers" / "hbase", progress)
        hive.build(state_dir / "layers" / "hive", progress)
        layer.build(_LAB / "kafka", state_dir / "layers" / "kafka", progress)
        layer.fetch(_LAB / "s3a", state_dir / "layers" / "s3a" / "opt" / "s3a", progress)

    def debian() -> None:
        if not _base(state_dir).exists():
            progress("making the Debian base")
            debian_base.make(_base(state_dir), state_dir / "log" / "base.log")

    def python() -> None:
        spark.fetch(spark_layer, _jars(state_dir).name, progress)

    spark_layer = state_dir / "layers" / "spark"
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        for one in concurrent.futures.as_completed([pool.submit(work) for work in (debian, java, python)]):
            one.result()
    spark.build(spark_layer, _jars(state_dir), progress)


def build(state_dir: Path, docker_host: str, password: str, progress: Progress) -> Image:
    """Build the node image in the daemon at *docker_host* as far as something changed since the last time.

    :param state_dir: keeps what was fetched, the archives and the logs: 2 GB.
    :param docker_host: such as ``unix:///var/run/docker.sock``.
    :param password: of the login user; only its hash enters the image.
    :param progress: takes one line about each step that takes time; called from several threads.
    :raises SaharaDockerError: with the cause and the log to read.
    """
    began = time.monotonic()
    if not docker_engine.answers(docker_host):
        raise exceptions.SaharaDockerError(
            "the Docker daemon does not answer", where=docker_host, remedy="start it, then run this again"
        )
    prepare(state_dir, progress)
    engine = _Engine(docker_host, state_dir / "log" / "docker.log")
    software = _build_software(state_dir, engine, progress)
    node = _build_node(state_dir, engine, software, password, progress)
    archive = _archive(state_dir, node)
    if not archive.exists():
        progress("saving the node image")
        engine.save(node, archive)
    for tag in (software, node):
        _forget_predecessors(state_dir, engine, tag)
    identifier = engine.id(node)
    assert identifier, f"{node} vanished while it was being saved"
    return Image(node, identifier, archive, time.monotonic() - began)


def _build_software(state_dir: Path, engine: _Engine, progress: Progress) -> str:
    base = _base(state_dir)
    tag = f"{REPOSITORY}/software:{fingerprint.of(base.name, _jars(state_dir).name, _IMAGES / 'lab')}"
    archive = _archive(state_dir, tag)
    if engine.id(tag):
        return tag
    if archive.exists():  # the images went with a `make demo-down`, or the daemon is another one
        progress("loading Hadoop's image from its archive")
        engine.load(archive)
        return tag
    progress("bringing Hadoop into an image (starts it once to learn its classes)")
    base_tag = f"{REPOSITORY}/base:{base.stem.partition('-')[2]}"
    if not engine.id(base_tag):
        engine.import_root(base, base_tag)
    with recipe.context(state_dir / "context-software", _IMAGES / "lab") as context:
        recipe.lay(_jars(state_dir), context / "jars")
        engine.build(context, base_tag, tag)
    engine.save(tag, archive)
    return tag


def _build_node(state_dir: Path, engine: _Engine, software: str, password: str, progress: Progress) -> str:
    login = f"{USER}:{recipe.crypted(password, _salt(state_dir / 'salt'))}\n"
    layers = sorted(path for path in (state_dir / "layers").iterdir() if path.is_dir())
    parts = (*layers, _IMAGES / "layers", _IMAGES / "node", _STAND_IN)
    tag = f"{REPOSITORY}/node:{fingerprint.of(software, *parts, login)}"
    if not engine.id(tag):
        progress("building the node image")
        with recipe.context(state_dir / "context-layers", _IMAGES / "layers") as context:
            for layer_directory in layers:
                recipe.lay(layer_directory, context / "layers")
            # It has no name: it goes with the node image that stands on it.
            beside_hadoop = engine.build(context, software)
        with recipe.context(state_dir / "context-node", _IMAGES / "node") as context:
            recipe.lay(_STAND_IN, context / "rootfs" / "opt" / "cloudera-manager" / _STAND_IN.name)
            for script in (_STAND_IN / "init.d").glob("cloudera-scm-*"):
                recipe.lay(script, context / "rootfs" / "etc" / "init.d" / script.name)
            recipe.write_secret(context / "secret" / "login", login)
            engine.build(context, beside_hadoop, tag)
    return tag


def _base(state_dir: Path) -> Path:
    return state_dir / f"base-{debian_base.identity()}.tar"


def _jars(state_dir: Path) -> Path:
    return state_dir / f"hadoop-{fingerprint.of(jars.POM, Path(jars.__file__))}"


def _archive(state_dir: Path, tag: str) -> Path:
    kind, _, name = tag.rpartition("/")[2].partition(":")
    return state_dir / f"{kind}-{name}.tar"


def _forget_predecessors(state_dir: Path, engine: _Engine, tag: str) -> None:
    """Remove what this directory's earlier builds left in the place of *tag*: archive and image."""
    current = _archive(state_dir, tag)
    kind, _, _ = current.stem.partition("-")
    for old in state_dir.glob(f"{kind}-*.tar"):
        if old != current:
            engine.remove(f"{REPOSITORY}/{kind}:{old.stem.partition('-')[2]}")
            old.unlink()


def _salt(file: Path) -> str:
    """Salt of this directory's images, the same each time so that a login can be part of a fingerprint."""
    if not file.exists():
        recipe.write_secret(file, secrets.token_hex(8))
    return file.read_text()


class _Engine:
    """Docker's command-line client, as far as images go."""

    def __init__(self, host: str, log: Path) -> None:
        self.host, self.log = host, log

    def id(self, tag: str) -> str | None:
        """Id of the image *tag*, or None when there is no such image."""
        return docker_engine.client(self.host, "images", "--no-trunc", "--quiet", tag).strip() or None

    def build(self, context: Path, base: str, tag: str | None = None) -> str:
        """Build an image, with a name or without, and return its id."""
        words = ["--force-rm", "--network=none", f"--build-arg=BASE={base}", *([f"--tag={tag}"] if tag else [])]
        note = context.with_name(f"{context.name}.id")
        self._run("building an image", "build", *words, f"--iidfile={note}", str(context))
        identifier = note.read_text()
        note.unlink()
        return identifier

    def import_root(self, root: Path, tag: str) -> None:
        self._run("importing the Debian base", "import", str(root), tag)

    def load(self, archive: Path) -> None:
        self._run("loading an image", "load", "--quiet", f"--input={archive}")

    def save(self, tag: str, archive: Path) -> None:
        """Write *tag* to *archive*, which appears only when it is complete."""
        new = archive.with_name(archive.name + ".new")
        self._run("saving an image", "save", f"--output={new}", tag)
        new.rename(archive)

    def remove(self, tag: str) -> None:
        """Take the name *tag* away; the image itself goes unless a container or another image needs it."""
        if self.id(tag):
            docker_engine.client(self.host, "rmi", "--force", tag)

    def _run(self, what: str, *words: str) -> None:
        # The classic builder: it needs no plug-in of the client, and no frontend image from a registry.
        variables = {**os.environ, "DOCKER_BUILDKIT": "0"}
        command.run(
            ["docker", "--host", self.host, *words], log=self.log, what=what, environment=variables, timeout=900
        )

# SPDX-License-Identifier: Apache-2.0
"""The subcommands of ``image``."""

from __future__ import annotations

import argparse
import getpass
import os
import shutil
import sys
import time
from typing import Any

from sahara_docker import exceptions
from sahara_docker.cli import cloud, cluster, daemon, registry
from sahara_docker.cli.doctor import report, runner
from sahara_docker.cli.image import archive, build, register, subject, trials

PASSWORD_VARIABLE = "SAHARA_DOCKER_IMAGE_PASSWORD"  # noqa: S105 - a name
_MIB = 1 << 20
_CHECK_TIMEOUT = 180


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommands."""
    parser = subparsers.add_parser("image", help="node images: build, check, register, list")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_build(commands)
    _add_check(commands)
    _add_register(commands)
    listing = commands.add_parser("list", help="show the images that Sahara can use for this plugin")
    cloud.add_arguments(listing)
    listing.set_defaults(run=run_list)


def _add_source(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("image", metavar="IMAGE", help=what)
    parser.add_argument("--user", default="cdh", help="login user of the image (cdh)")
    parser.add_argument(
        "--password-file", metavar="FILE",
        help=f"file with that user's password, - to be asked for it ({PASSWORD_VARIABLE} of the environment)",
    )  # fmt: skip
    parser.add_argument(
        "--docker", metavar="URL", default=os.environ.get("DOCKER_HOST") or daemon.DEFAULT_HOST, help="Docker daemon"
    )


def _add_build(commands: Any) -> None:
    parser = commands.add_parser(
        "build",
        help="make a node image of a base and Cloudera's packages",
        description="Installs Cloudera's packages on a base and makes a node of it, with a login user, sshd, an init, "
        "limits, a health check and the ports of CDH; then checks it. Proxies are taken from the environment "
        "(http_proxy, https_proxy, no_proxy) and stay out of the image. Packages that are installed already are not "
        "installed again. Exit code: that of the check.",
    )
    _add_source(parser, "name of the new image")
    build.add_arguments(parser)
    parser.set_defaults(run=run_build, format="text")


def _add_register(commands: Any) -> None:
    parser = commands.add_parser(
        "register",
        help="bring an image into Glance and Sahara's registry",
        description="Uploads the image unless the very same is there, tells Sahara its user, password and tags, and "
        "sees that Sahara shows it. A changed image takes the name over; one that clusters still name is kept under "
        "another.",
    )
    _add_source(parser, "a Docker image, or a file that docker save wrote")
    parser.add_argument("--version", required=True, metavar="N.N.N", help="version of CDH that it has, such as 5.13.0")
    parser.add_argument("--name", help="name in Glance (cdh-VERSION)")
    parser.add_argument("--visibility", choices=("private", "shared", "community", "public"), default="private")
    parser.add_argument("--preload", metavar="AGGREGATE", help="have the hosts of this aggregate load it now")
    cloud.add_arguments(parser)
    parser.set_defaults(run=run_register)


def _add_check(commands: Any) -> None:
    parser = commands.add_parser(
        "check",
        help="start an image without OpenStack and try what a cluster will need",
        description="Exit code: 0 nothing to do, 1 warnings, 2 failures.",
    )
    _add_source(parser, "a Docker image")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.set_defaults(run=run_check)


def _password(arguments: argparse.Namespace) -> str:
    """The image's password, which never is an argument: every user of a host can read those."""
    if arguments.password_file == "-":  # noqa: S105 - a name
        return getpass.getpass(f"Password of {arguments.user} in the image: ")
    if arguments.password_file:
        try:
            with open(arguments.password_file) as stream:
                return stream.readline().rstrip("\n")
        except OSError as error:
            raise exceptions.SaharaDockerError(
                "the password cannot be read", where=arguments.password_file, observed=error.strerror or str(error)
            ) from error
    return os.environ.get(PASSWORD_VARIABLE, "")


def run_build(arguments: argparse.Namespace) -> int:
    """Run ``image build``, then ``image check`` on what it made."""
    identifier = build.build(daemon.Daemon(arguments.docker), arguments, _password(arguments))
    print(f"{arguments.image} {identifier}")
    return run_check(arguments)


def run_register(arguments: argparse.Namespace) -> int:
    """Run ``image register``."""
    image = archive.find(arguments.image, daemon.Daemon(arguments.docker))
    openstack = cloud.connect(arguments.os_cloud, arguments.os_region_name)
    wanted = register.Wanted(
        arguments.name or f"cdh-{arguments.version}", arguments.version, arguments.user, _password(arguments),
        arguments.visibility,
    )  # fmt: skip
    began = time.monotonic()
    found = register.register(openstack, image, wanted, _Progress())
    seconds = time.monotonic() - began
    how = "uploaded" if found.uploaded else "there already, not uploaded again"
    print(f"{wanted.name} {found.id}: {how} ({seconds:.1f} s)")
    print(f"  Sahara shows it with user {wanted.user} and tags {', '.join(wanted.tags)}")
    if not wanted.password:
        print(f"  no password was given: Sahara uses {registry.PASSWORD} of the image, or ssh_password of sahara.conf")
    for identifier in found.deleted:
        print(f"  deleted its predecessor {identifier}")
    for identifier in found.kept:
        print(f"  kept its predecessor {identifier} under another name: clusters, templates or instances name it")
    if arguments.preload:
        hosts = register.preload(openstack, found.id, arguments.preload)
        print(f"  {hosts} hosts of {arguments.preload} are loading it")
    return 0


class _Progress:
    """How far an upload is: one line that is written over on a terminal, else a line every ten percent."""

    def __init__(self) -> None:
        self._shown, self._began = -1, time.monotonic()

    def __call__(self, sent: int, total: int) -> None:
        percent = sent * 100 // total if total else 100
        step = 1 if sys.stderr.isatty() else 10
        # The size of an image in a daemon is not that of its archive: what is sent can be all, and then more.
        if percent // step == self._shown // step:
            return
        self._shown = percent
        rate = sent / _MIB / max(time.monotonic() - self._began, 0.001)
        text = f"uploading: {sent // _MIB} of {total // _MIB} MiB, {percent} %, {rate:.0f} MiB/s"
        end = "" if sys.stderr.isatty() and sent != total else "\n"
        print(f"\r{text}" if sys.stderr.isatty() else text, end=end, file=sys.stderr, flush=True)


def run_check(arguments: argparse.Namespace) -> int:
    """Run ``image check`` and return its exit code."""
    where = daemon.Daemon(arguments.docker)
    began = time.monotonic()
    with subject.Subject(where, arguments.image, arguments.user, _password(arguments)).running() as tried:
        findings = runner.run(trials.TRIALS.values(), tried, timeout=_CHECK_TIMEOUT)
        findings += runner.run([trials.STOP], tried, timeout=_CHECK_TIMEOUT)
    seconds = time.monotonic() - began
    worst = runner.worst(findings)
    if arguments.format == "json":
        print(report.findings_json(findings, seconds, worst))
    else:
        width = shutil.get_terminal_size((120, 24)).columns
        for finding in findings:
            print(report.line(finding, color=sys.stdout.isatty(), width=width))
        print(report.summary(findings, seconds))
    return report.EXIT_CODES[worst]


def run_list(arguments: argparse.Namespace) -> int:
    """Run ``image list``."""
    openstack = cloud.connect(arguments.os_cloud, arguments.os_region_name)
    images = openstack.get("image", f"/images?{registry.tag(cluster.PLUGIN)}=True")["images"]
    clusters = openstack.get("data-processing", "/clusters")["clusters"]
    if not images:
        print(f"no image has the tag {cluster.PLUGIN}: sahara-docker image register")
    for image in images:
        users = [one["name"] for one in clusters if one.get("default_image_id") == image["id"]]
        print(f"{image['name']}  {image['id']}")
        size = (image["size"] or 0) // _MIB
        print(f"  {image['status']}, {size} MiB, {image['visibility']}, {image['container_format']}")
        user = image.get(registry.USER, "unknown: Sahara does not show it")
        print(f"  user {user}, tags {', '.join(registry.tags(image))}")
        print(f"  password {'of its own' if registry.PASSWORD in image else 'none of its own'}")
        print(f"  Docker's id {image.get(register.DOCKER_ID, 'unknown')}")
        print(f"  used by {', '.join(users) if users else 'no cluster'}")
    return 0

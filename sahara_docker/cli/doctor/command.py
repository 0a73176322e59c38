# SPDX-License-Identifier: Apache-2.0
"""The subcommand ``doctor``."""

from __future__ import annotations

import argparse
import functools
import shutil
import sys
import time

from sahara_docker import exceptions
from sahara_docker.cli import cloud
from sahara_docker.cli.doctor import (  # noqa: F401 - a subject declares its checks when it is imported
    check,
    docker,
    glance,
    instances,
    kernel,
    manager,
    network,
    node_services,
    node_storage,
    nodes,
    nova,
    report,
    runner,
    sahara,
    site,
)

_EPILOG = """
Looks at what it finds where it runs: a compute host, a Sahara host, or any host with an openrc file; with --cluster
also at that cluster's nodes and services. Changes nothing without --fix. Exit code: 0 nothing to do, 1 warnings,
2 failures.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "doctor", help="check a host, a cloud or a cluster for the known troubles", epilog=_EPILOG
    )
    parser.add_argument("checks", nargs="*", metavar="CHECK", help="names of checks or subjects, such as docker; all")
    parser.add_argument("--cluster", default="", metavar="NAME", help="also check this cluster (name or id)")
    parser.add_argument(
        "--docker", action="append", default=[], metavar="URL",
        help="Docker daemon of a compute host; may be given for each of them (nova.conf's of this host)",
    )  # fmt: skip
    parser.add_argument("--list", action="store_true", help="show the checks instead of running them")
    parser.add_argument(
        "--format", choices=("text", "json", "markdown"), default="text", help="markdown only with --list"
    )
    parser.add_argument(
        "--fix", action="store_true", help="ask for each trouble that can be mended safely, and mend it"
    )
    parser.add_argument("--timeout", type=float, default=30, metavar="S", help="seconds for everything (30)")
    parser.add_argument("--verbose", "-v", action="store_true", help="also show what is not applicable here, and why")
    cloud.add_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the subcommand and return its exit code.

    :raises SaharaDockerError: the arguments make no sense.
    """
    chosen = _choose(arguments.checks)
    if arguments.list:
        listings = {
            "json": report.listing_json,
            "markdown": report.listing_markdown,
            "text": report.listing_text,
        }
        print(listings[arguments.format](chosen))
        return 0
    if arguments.format == "markdown":
        raise exceptions.SaharaDockerError("findings are not written as markdown", remedy="add --list, or use json")
    place = site.Site(
        docker_hosts=tuple(arguments.docker),
        connect=functools.partial(cloud.connect, arguments.os_cloud, arguments.os_region_name),
        cluster_name=arguments.cluster,
    )
    began = time.monotonic()
    as_text = arguments.format == "text"
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((120, 24)).columns
    done = 0

    def progress(finding: runner.Finding) -> None:
        nonlocal done
        done += 1
        if sys.stderr.isatty():
            print(
                f"\r\033[K{done} of {len(chosen)} checks ... {finding.declared.name}",
                end="",
                file=sys.stderr,
                flush=True,
            )

    findings = runner.run(chosen, place, timeout=arguments.timeout, progress=progress)
    seconds = time.monotonic() - began
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    if as_text:
        for finding in findings:
            if finding.result.status != check.NOT_APPLICABLE or arguments.verbose or arguments.checks:
                print(report.line(finding, color=terminal, width=width))
        print(report.summary(findings, seconds))
    if arguments.fix:
        findings = _fix(findings, place)
    worst = runner.worst(findings)
    if not as_text:
        print(report.findings_json(findings, seconds, worst))
    return report.EXIT_CODES[worst]


def _choose(words: list[str]) -> list[check.Check]:
    chosen = [
        one for one in check.CHECKS.values() if not words or one.name in words or one.name.partition(".")[0] in words
    ]
    known = {one.name for one in chosen} | {one.name.partition(".")[0] for one in chosen}
    unknown = [word for word in words if word not in known]
    if unknown:
        raise exceptions.SaharaDockerError(
            "there is no such check", observed=", ".join(unknown), remedy="sahara-docker doctor --list"
        )
    return chosen


def _fix(findings: list[runner.Finding], place: site.Site) -> list[runner.Finding]:
    """Offer every fix, make those that are wanted, and look again at what they mended."""
    after = []
    for finding in findings:
        fix = finding.declared.fix
        if fix is None or finding.result.status not in (check.WARN, check.FAIL):
            after.append(finding)
            continue
        print(f"{finding.declared.name}: {fix.question} [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            after.append(finding)
            continue
        try:
            fix.apply(place)
        except (OSError, exceptions.SaharaDockerError) as error:
            print(f"{finding.declared.name}: not mended: {error}; run this as root", file=sys.stderr)
            after.append(finding)
            continue
        after += runner.run([finding.declared], place, timeout=30)
        print(f"{finding.declared.name}: now {after[-1].result.status}: {after[-1].result.saw}", file=sys.stderr)
    return after

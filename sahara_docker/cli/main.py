# SPDX-License-Identifier: Apache-2.0
"""Entry point of ``sahara-docker``."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import sys
from typing import Sequence

from sahara_docker import exceptions
from sahara_docker.cli.doctor import command as doctor
from sahara_docker.cli.image import command as image
from sahara_docker.cli.watch import command as watch

#: Exit code of a command that could not be carried out; ``doctor`` uses 1 and 2 for what it found.
FAILED = 3
INTERRUPTED = 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    found = argparse.ArgumentParser(
        prog="sahara-docker", description="Tools for the operator of Hadoop clusters on Docker containers."
    )
    found.add_argument("--version", action="version", version=importlib.metadata.version("sahara-docker"))
    subparsers = found.add_subparsers(title="commands", metavar="COMMAND", required=True)
    doctor.add_parser(subparsers)
    image.add_parser(subparsers)
    watch.add_parser(subparsers)
    return found


def main(words: Sequence[str] | None = None) -> int:
    """Run a command line and return the exit code; an error is one line that says what, where and what next."""
    arguments = parser().parse_args(words)
    try:
        return arguments.run(arguments)
    except exceptions.SaharaDockerError as error:
        print(f"sahara-docker: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("sahara-docker: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe has gone, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED

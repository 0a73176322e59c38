# SPDX-License-Identifier: Apache-2.0
"""Settings of Sphinx, which makes the documentation's pages: ``make docs``."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import re
from pathlib import Path

from docutils import nodes
from sphinx import application

from sahara_docker.cli import main, ports

ROOT = Path(__file__).resolve().parent.parent
GENERATED = ROOT / "build/generated"

project = "sahara-docker"
project_copyright = "sahara-docker maintainers"
release = importlib.metadata.version("sahara-docker")

extensions = ["myst_parser", "oslo_config.sphinxconfiggen", "oslo_config.sphinxext", "reno.sphinxext"]
myst_heading_anchors = 3
myst_ref_domains = ["std"]  # oslo.config's cannot say that it does not know a target
exclude_patterns = []
config_generator_config_file = [
    (str(ROOT / "etc" / f"{name}.conf-generator"), str(GENERATED / name)) for name in ("sahara-docker", "nova-docker")
]

git = ROOT / ".git"
if not git.exists() or (git / "shallow").exists():  # reno reads releases from the whole of the history
    exclude_patterns.append("changelog.md")
    suppress_warnings = ["toc.excluded"]

html_theme = "alabaster"
html_theme_options = {"description": "Hadoop clusters of OpenStack Sahara on Docker containers", "page_width": "1100px"}
html_copy_source = False
html_show_sphinx = False


def _declare_anchors(app: application.Sphinx, doctree: nodes.document) -> None:
    """Make links to anchors that are written as HTML count as valid; Markdown itself has no word for an anchor."""
    known = app.env.metadata[app.env.docname].setdefault("myst_slugs", {})
    for raw in doctree.findall(nodes.raw):
        for anchor in re.findall(r'<a id="([^"]+)">', raw.astext()):
            known[anchor] = (raw.line, anchor, anchor)


def _write_helps(parser: argparse.ArgumentParser) -> None:
    """Write what ``--help`` prints, one file for each command, such as ``sahara-docker-image-list.txt``."""
    (GENERATED / f"{parser.prog.replace(' ', '-')}.txt").write_text(parser.format_help())
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                _write_helps(below)


def _write_ports() -> None:
    """Write the table of ports that clients of a cluster use."""
    rows = [f"| {process} | {', '.join(map(str, numbers))} |" for process, numbers in ports.PORTS.items()]
    (GENERATED / "ports.md").write_text("\n".join(["| process | TCP ports |", "|---|---|", *rows, ""]))


def setup(app: application.Sphinx) -> None:
    GENERATED.mkdir(parents=True, exist_ok=True)
    os.environ["COLUMNS"] = "100"  # argparse asks it for the width
    _write_helps(main.parser())
    _write_ports()
    app.connect("doctree-read", _declare_anchors)

# SPDX-License-Identifier: Apache-2.0
"""Reads templates with Heat's own parser; a program, as Heat and Sahara register options of the same names.

Standard input: a JSON list of templates. Standard output: for each, the pairs of a resource and one that it needs.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from heat.common import context, template_format
from heat.engine import environment, resources, stack, template
from oslo_config import cfg


def requirements(text: str) -> list[list[str]]:
    parsed = stack.Stack(
        context.RequestContext(project_id="project", auth_token="token"),
        "demo",
        template.Template(template_format.parse(text), env=environment.Environment()),
        convergence=True,
    )
    edges: list[Any] = list(parsed.dependencies.graph().edges())
    return sorted([requirer.name, required.name] for requirer, required in edges if required is not None)


if __name__ == "__main__":
    cfg.CONF([], project="heat", default_config_files=[])
    resources.initialise()
    json.dump([requirements(text) for text in json.load(sys.stdin)], sys.stdout)

# SPDX-License-Identifier: Apache-2.0
"""A strict reading of the vendor's models: cm-client itself drops unknown keys and accepts wrong enumeration values."""

from __future__ import annotations

import re
from typing import Any

from cm_client import models

_PLAIN: dict[str, type | tuple[type, ...]] = {"str": str, "int": int, "bool": bool, "float": (int, float)}


def _enumeration(model: type) -> set[str]:
    names = {name for name in vars(model) if name.isupper()}
    return {getattr(model, name) for name in names if isinstance(getattr(model, name), str)}


def _since(model: type, attribute: str) -> int:
    """Return the API version since which an attribute exists, from the vendor's own description of it."""
    text = getattr(model, attribute).__doc__ or ""
    match = re.search(r"[Aa]vailable since (?:API )?[vV]\s?(\d+)|[Aa]vailable since [Vv]?(\d+)", text)
    return int(match.group(1) or match.group(2)) if match else 1


def check(value: Any, kind: str, version: int, path: str = "") -> None:
    """Compare a JSON value with a type of cm-client's models.

    :raises AssertionError: an unknown key, a key of a later version, a value of another type or outside its
        enumeration; the text has its path.
    """
    if value is None:
        return
    if kind.startswith("list["):
        if not isinstance(value, list):
            raise AssertionError(f"{path}: a list is expected, not {value!r}")
        for number, item in enumerate(value):
            check(item, kind[5:-1], version, f"{path}[{number}]")
        return
    if kind in _PLAIN:
        if not isinstance(value, _PLAIN[kind]) or (isinstance(value, bool) and kind != "bool"):
            raise AssertionError(f"{path}: {kind} is expected, not {value!r}")
        return
    model = getattr(models, kind)
    if not model.swagger_types:
        if value not in _enumeration(model):
            raise AssertionError(f"{path}: {value!r} is not one of {sorted(_enumeration(model))}")
        return
    if not isinstance(value, dict):
        raise AssertionError(f"{path}: {kind} is expected, not {value!r}")
    attributes = {key: name for name, key in model.attribute_map.items()}
    for key, item in value.items():
        if key not in attributes:
            raise AssertionError(f"{path}: {kind} has no {key!r}")
        since = _since(model, attributes[key])
        if since > version:
            raise AssertionError(f"{path}.{key}: exists since v{since}, this is v{version}")
        check(item, model.swagger_types[attributes[key]], version, f"{path}.{key}")

# SPDX-License-Identifier: Apache-2.0
"""The stock CDH plugin with the one fix without which it creates no cluster on Python 3.8 and later."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import fixtures
from sahara.plugins import resource
from sahara_plugin_cdh.plugins.cdh import plugin_utils

_CONVERT = plugin_utils.AbstractPluginUtils.convert_process_configs


class _StableKeys(dict):
    """A dictionary whose ``keys()`` do not change while they are iterated over, as in Python 2."""

    def keys(self) -> Any:
        return list(super().keys())


def _convert_process_configs(self: Any, configs: Any) -> Any:
    if resource.is_resource_instance(configs):
        configs = configs.to_dict()
    return _CONVERT(self, _StableKeys(configs))


@contextlib.contextmanager
def runnable() -> Iterator[None]:
    """Keep ``convert_process_configs`` from renaming keys of the dictionary that it iterates over."""
    name = "sahara_plugin_cdh.plugins.cdh.plugin_utils.AbstractPluginUtils.convert_process_configs"
    with fixtures.MonkeyPatch(name, _convert_process_configs):
        yield

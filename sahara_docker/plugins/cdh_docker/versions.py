# SPDX-License-Identifier: Apache-2.0
"""The CDH versions: rows of data, and one way to build a handler from a row.

The stock plugin keeps a copy of ten modules for each version. What differs between them is data, which is taken from
them.
"""

from __future__ import annotations

import functools
import importlib
import types
from dataclasses import dataclass
from typing import Any

from sahara_docker.plugins.cdh_docker import (
    cloudera,
    deployment,
    edp,
    images,
    options,
    plugin_utils,
    role_configs,
    spark_jobs,
)
from sahara_docker.plugins.cdh_docker.version_handler import VersionHandler


@dataclass(frozen=True)
class Version:
    """A version of CDH.

    :param number: as users name it.
    :param stable: False for one that its vendor had given up before the others.
    """

    number: str
    stable: bool = True

    def stock_module(self, name: str) -> types.ModuleType:
        """Return one of the stock plugin's modules for this version."""
        package = f"sahara_plugin_cdh.plugins.cdh.v{self.number.replace('.', '_')}"
        return importlib.import_module(f"{package}.{name}")

    def stock_class(self, module: str, name: str) -> Any:
        """Return one of the stock plugin's classes for this version, whose names end like ``V5130``."""
        return getattr(self.stock_module(module), f"{name}V{self.number.replace('.', '')}")


VERSIONS = (
    Version("5.7.0", stable=False),
    Version("5.9.0"),
    Version("5.11.0"),
    Version("5.13.0"),
)


def build_handler(version: Version) -> VersionHandler:
    """Return a handler for *version*, made of our parts around the version's stock data."""
    config_helper = version.stock_class("config_helper", "ConfigHelper")
    user_options = type("Options", (options.OptionsMixin, config_helper), {"stock_class": config_helper})()
    pu = type("PluginUtils", (plugin_utils.PluginUtilsMixin, version.stock_class("plugin_utils", "PluginUtils")), {})(
        user_options
    )
    validator = type("Validator", (version.stock_class("validation", "Validator"),), {"PU": pu})

    stock_utils = version.stock_class("cloudera_utils", "ClouderaUtils")()
    stock_utils.pu, stock_utils.c_helper, stock_utils.validator = pu, user_options, validator

    access = cloudera.Cloudera(pu)
    stock_engines = version.stock_module("edp_engine")
    engines = types.SimpleNamespace(
        EdpOozieEngine=type(
            "EdpOozieEngine", (edp.OozieEngineMixin, stock_engines.EdpOozieEngine), {"cloudera": access}
        ),
        EdpSparkEngine=type("EdpSparkEngine", (spark_jobs.SparkEngineMixin, stock_engines.EdpSparkEngine), {}),
    )
    image_checks = images.Images(version.stock_module("images"))
    return VersionHandler(
        options=user_options,
        cloudera=access,
        plugin_utils=pu,
        deployment=deployment.Deployment(access, role_configs.RoleConfigs(stock_utils), image_checks),
        edp_engines=engines,
        images=image_checks,
        validator=validator,
    )


class VersionFactory:
    """What the stock provider asks for the versions and their handlers.

    A handler is built when it is first asked for, which reads some sixty files of options.
    """

    def __init__(self) -> None:
        self._rows = {version.number: version for version in VERSIONS}
        self._handler = functools.lru_cache(maxsize=None)(build_handler)

    def get_versions(self) -> list[str]:
        """Return the versions' numbers, oldest first."""
        return list(self._rows)

    def get_version_handler(self, number: str) -> VersionHandler:
        """Return the handler of one version.

        :raises KeyError: for a version that does not exist.
        """
        return self._handler(self._rows[number])

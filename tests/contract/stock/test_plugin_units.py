# SPDX-License-Identifier: Apache-2.0
"""The unit tests of the stock CDH plugin, run with our plugin's parts for every version.

Stock has none for 5.13.0, so that those for 5.11.0 are read for it.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

from tests.contract.stock import exclusions, plugin_substitutes, stock_tests

TESTS = "sahara_plugin_cdh.tests.unit.plugins.cdh"
_WRITTEN_FOR = {"5.13.0": "5.11.0"}


def modules(number: str) -> list[str]:
    """Stock's test modules for one version, and those for all."""
    directory = f"{TESTS}.v{_WRITTEN_FOR.get(number, number).replace('.', '_')}"
    found = [
        f"{package}.{path.stem}"
        for package in (directory, TESTS)
        for path in sorted(stock_tests.path_of(f"{package}.any").parent.glob("test_*.py"))
    ]
    return [module for module in found if module not in exclusions.MODULES]


def label(number: str) -> str:
    """What stands for a version in the collected classes' names."""
    return f"v{number.replace('.', '_')}"


def for_version(number: str, source: str) -> str:
    """*source*, whose tests are for another version, with that one's names and numbers replaced."""
    written = _WRITTEN_FOR.get(number, number)
    for separator, prefix in ((".", ""), ("_", ""), ("", "V")):
        source = source.replace(prefix + written.replace(".", separator), prefix + number.replace(".", separator))
    return source


def _around(substitutes: dict[str, Any]) -> Callable[[], contextlib.AbstractContextManager[None]]:
    @contextlib.contextmanager
    def context() -> Iterator[None]:
        provider, jobs = plugin_substitutes.as_plugin_cdh(), plugin_substitutes.jobs_of_mocks()
        with stock_tests.installed(substitutes), provider, jobs:
            yield

    return context


def _collect() -> None:
    for number in plugin_substitutes.VERSIONS:
        shared = plugin_substitutes.of_all_versions(number)
        for module in modules(number):
            short = module.rpartition(".")[2]
            if short in shared:
                substitutes, edit = shared[short], str
            else:
                substitutes, edit = plugin_substitutes.of_version(number), functools.partial(for_version, number)
            loaded = stock_tests.load(module, substitutes, edit)
            globals().update(stock_tests.cases(loaded, _around(substitutes), f"{short}_{label(number)}"))


_collect()

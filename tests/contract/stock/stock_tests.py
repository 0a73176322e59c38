# SPDX-License-Identifier: Apache-2.0
"""Stock's own unit tests, from the installed distributions, with our parts in place of what they test.

A test module is read and executed anew: what it imports by a name for which there is a substitute is ours. Names that
it gives to ``mock.patch`` as text find the substitute too, where that stands in ``sys.modules`` while a test runs.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import pathlib
import sys
import types
import unittest
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.contract.stock import exclusions

Substitutes = Mapping[str, Any]


def path_of(module: str) -> pathlib.Path:
    """Where the source of a stock module lies; it is not imported."""
    package, _, name = module.rpartition(".")
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise AssertionError(f"{package} is not installed")
    return pathlib.Path(found.submodule_search_locations[0], f"{name}.py")


@contextlib.contextmanager
def installed(substitutes: Substitutes) -> Iterator[None]:
    """Put objects in place of modules, for ``import`` and for ``mock.patch``."""
    originals = {name: importlib.import_module(name) for name in substitutes}
    _install(substitutes)
    try:
        yield
    finally:
        _install(originals)


def _install(modules: Substitutes) -> None:
    for name, module in modules.items():
        package, _, attribute = name.rpartition(".")
        sys.modules[name] = module
        setattr(sys.modules[package], attribute, module)


def load(module: str, substitutes: Substitutes, edit: Callable[[str], str] = lambda source: source) -> types.ModuleType:
    """A fresh copy of a stock test module that was executed with *substitutes* in place.

    :param edit: changes its source first, such as one version's tests into another's.
    """
    path = path_of(module)
    fresh = types.ModuleType(module)
    fresh.__file__ = str(path)
    with installed(substitutes):
        exec(compile(edit(path.read_text()), str(path), "exec"), vars(fresh))
    return fresh


def tests_of(module: types.ModuleType) -> dict[str, tuple[type[unittest.TestCase], list[str]]]:
    """Classes of tests that a module defines, and the names of their tests."""
    names = unittest.TestLoader().getTestCaseNames
    return {
        name: (case, names(case))
        for name, case in vars(module).items()
        if isinstance(case, type) and issubclass(case, unittest.TestCase) and case.__module__ == module.__name__
    }


def cases(
    module: types.ModuleType, around: Callable[[], contextlib.AbstractContextManager[Any]], label: str
) -> dict[str, type[unittest.TestCase]]:
    """Classes for pytest to collect, without the tests that are excluded.

    :param around: makes what has to be in place while one test runs.
    :param label: goes into the classes' names.
    """
    short = module.__name__.rpartition(".")[2]
    found = {}
    for name, (case, tests) in tests_of(module).items():
        left_out = [test for test in tests if exclusions.name_of(short, name, test) in exclusions.TESTS]
        if len(left_out) < len(tests):
            found[f"{name}_{label}"] = _case(case, around, left_out)
    return found


def _case(case: type[unittest.TestCase], around: Callable[[], Any], left_out: list[str]) -> type[unittest.TestCase]:
    def set_up(self: Any) -> None:
        context = around()
        context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        case.setUp(self)

    return type(case.__name__, (case,), {"setUp": set_up, **dict.fromkeys(left_out)})

# SPDX-License-Identifier: Apache-2.0
"""The unit tests of Sahara's own remote, engine and bases of plugins, run with our subclasses."""

from __future__ import annotations

from tests.contract.stock import sahara_substitutes, stock_tests


def _collect() -> None:
    for module, (substitutes, around) in sahara_substitutes.of_sahara().items():
        loaded = stock_tests.load(module, substitutes)
        globals().update(stock_tests.cases(loaded, around, module.rpartition(".")[2]))


_collect()

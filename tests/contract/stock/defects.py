# SPDX-License-Identifier: Apache-2.0
"""Proofs that a defect of stock is mended: one body that ours passes and stock fails, in the way that is known."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import eventlet
import testtools


def defect(known: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Mark a method as the proof for one defect; its argument is an implementation.

    :param known: regular expression for how stock fails: the type and the text of what is raised.
    """

    def mark(body: Callable[..., None]) -> Callable[..., None]:
        body.known_failure = known  # type: ignore[attr-defined]
        return body

    return mark


def proven(ours: Callable[[], Any], stock: Callable[[], Any]) -> Callable[[type], type]:
    """Make two tests of every proof of a class: ``..._is_mended`` and ``..._is_in_stock``."""

    def expand(case: type) -> type:
        for name, body in list(vars(case).items()):
            if hasattr(body, "known_failure"):
                setattr(case, f"test_{name}_is_mended", _passes(body, ours))
                setattr(case, f"test_{name}_is_in_stock", _fails(body, stock))
        return case

    return expand


def _passes(body: Callable[..., None], implementation: Callable[[], Any]) -> Callable[[Any], None]:
    return lambda self: body(self, implementation())


def _fails(body: Any, implementation: Callable[[], Any]) -> Callable[[Any], None]:
    def test(self: testtools.TestCase) -> None:
        try:
            body(self, implementation())
        except Exception as failure:
            how = f"{type(failure).__name__}: {failure}"
        else:
            self.fail("stock passes: this is no defect of its, or the proof proves nothing")
        if not re.search(body.known_failure, how, re.DOTALL):
            self.fail(f"stock fails otherwise than known ({body.known_failure}): {how}")

    return test


class StillWaiting(Exception):
    """Something that has to end did not."""


def within(seconds: float, action: Callable[..., Any], *arguments: Any) -> Any:
    """Run *action*, which has to end after at most so many seconds.

    :raises StillWaiting: when it does not.
    """
    with eventlet.Timeout(seconds, StillWaiting(f"not done after {seconds} s")):
        return action(*arguments)

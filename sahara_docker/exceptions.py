# SPDX-License-Identifier: Apache-2.0
"""Errors of this package: each says what failed, where, what was observed and what to do next."""

from __future__ import annotations


class SaharaDockerError(Exception):
    """Base of the package's own errors.

    :param what: one sentence without a full stop: what failed.
    :param where: the thing it happened to, such as ``node-2 10.0.0.7`` (optional).
    :param observed: what was seen: an exit code, a daemon's words (optional).
    :param remedy: what the reader can do next (optional).

    The text reads ``[where] what: observed; remedy``.
    """

    def __init__(self, what: str, *, where: str = "", observed: str = "", remedy: str = "") -> None:
        self.what, self.where, self.observed, self.remedy = what, where, observed, remedy
        text = f"[{where}] {what}" if where else what
        if observed:
            text += f": {observed}"
        if remedy:
            text += f"; {remedy}"
        super().__init__(text)

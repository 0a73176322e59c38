# SPDX-License-Identifier: Apache-2.0
"""Values that users set, and the error for one that is wrong."""

from __future__ import annotations

from typing import Any

from sahara import exceptions as sahara_exceptions

from sahara_docker import exceptions


class InvalidConfig(exceptions.SaharaDockerError, sahara_exceptions.SaharaException):
    """A user's setting is wrong. Being one of Sahara's own exceptions, its text gets to the user with a 400."""

    code = "INVALID_CONFIGURATION"

    def __init__(self, what: str, **parts: str) -> None:
        exceptions.SaharaDockerError.__init__(self, what, **parts)
        self.message = self.args[0]


def check_number(name: str, number: Any, *, least: int, where: str = "") -> int:
    """Return a user's number.

    :param name: of the setting, for the error.
    :raises InvalidConfig: when it is not a whole number of *least* or more.
    """
    try:
        if isinstance(number, bool) or int(number) != float(number) or int(number) < least:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise InvalidConfig(
            f"{name} is not a whole number of {least} or more",
            where=where,
            observed=repr(number),
            remedy="correct it, or leave it out for the default",
        ) from None
    return int(number)

# SPDX-License-Identifier: Apache-2.0
"""Errors that become answers: Cloudera Manager sends ``{"message": ...}`` with the HTTP code."""

from __future__ import annotations


class ApiError(Exception):
    """A request that is refused, with its HTTP code."""

    def __init__(self, code: int, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(message)


def not_found(kind: str, name: str) -> ApiError:
    """Return the error for a thing that is not there, in Cloudera Manager's words."""
    return ApiError(404, f"{kind} '{name}' not found.")


def bad_request(message: str) -> ApiError:
    """Return the error for a request that cannot be carried out as it stands."""
    return ApiError(400, message)


class CommandFailed(Exception):
    """A command ended without success; the text becomes its resultMessage."""

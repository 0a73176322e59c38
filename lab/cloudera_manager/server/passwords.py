# SPDX-License-Identifier: Apache-2.0
"""Passwords and sessions: a salted hash on disk, a random cookie in memory."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import threading

from .model import User

ITERATIONS = 20000


def digest(password: str, salt: str = "") -> tuple[str, str]:
    """Return the salt, a new one unless given, and the password's hash with it."""
    salt = salt or secrets.token_hex(16)
    return salt, hashlib.pbkdf2_hmac("sha256", password.encode(), bytes.fromhex(salt), ITERATIONS).hex()


def decode_basic(header: str) -> tuple[str, str] | None:
    """Return user and password of an ``Authorization: Basic`` header; None for anything else."""
    kind, _, value = header.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if colon else None


class Gate:
    """Who is asking? Accepts Basic credentials or the session cookie that an earlier answer set."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: dict[str, tuple[str, str]] = {}
        self._passed: dict[str, str] = {}

    def by_password(self, users: dict[str, User], name: str, password: str) -> User | None:
        """Return the user with this password, or None."""
        user = users.get(name)
        if user is None:
            return None
        # The slow hash once for each password: a client sends it with every request.
        quick = hashlib.sha256(f"{user.salt}:{password}".encode()).hexdigest()
        if self._passed.get(quick) == user.digest:
            return user
        if not hmac.compare_digest(digest(password, user.salt)[1], user.digest):
            return None
        with self._lock:
            self._passed[quick] = user.digest
        return user

    def open_session(self, user: User) -> str:
        """Return a new session's token."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            while len(self._sessions) > 1000:
                del self._sessions[next(iter(self._sessions))]
            self._sessions[token] = (user.name, user.digest)
        return token

    def by_session(self, users: dict[str, User], token: str) -> User | None:
        """Return the session's user, or None; a session ends when its user's password changes."""
        name, known = self._sessions.get(token, ("", ""))
        user = users.get(name)
        return user if user is not None and user.digest == known else None

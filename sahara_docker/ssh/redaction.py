# SPDX-License-Identifier: Apache-2.0
"""Keeps secrets out of logs and errors.

What is known to be secret (the login password) is replaced wherever it stands; what merely looks like one, by the forms
in which Sahara and its plugins pass passwords on command lines. Data for a command's standard input is never shown.
"""

from __future__ import annotations

import logging
import re
from typing import Iterable

from oslo_utils import strutils

MASK = "***"

# Each has the text to keep as group 1; what follows it, up to the next quote or blank, is hidden.
_QUOTED = r"""("[^"]*"|'[^']*'|[^\s'"]+)"""
_FORMS = [
    re.compile(rf"(?i)(\bpassword\s+){_QUOTED}"),  # SQL: CREATE USER x WITH PASSWORD 'y'
    re.compile(rf"(?i)(\b(?:PGPASSWORD|MYSQL_PWD|\w*PASSWORD|\w*SECRET|\w*TOKEN)=){_QUOTED}"),
    re.compile(rf"(\s-{{1,2}}(?:pw|password|pass|token)(?:\s+|=)){_QUOTED}"),  # kadmin -pw x
    re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)([^\s@]+)(?=@)"),  # a URL's user information
    re.compile(r"((?:echo|printf)\s+(?:-\S+\s+)?)([^|;&]+)(?=\|\s*(?:sudo\s+)?(?:\S*/)?(?:chpasswd|passwd|sudo\s+-S))"),
]


def redact(text: str, secrets: Iterable[str | None] = ()) -> str:
    """*text* with the *secrets* and everything that looks like one replaced by ``***``."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, MASK)
    for form in _FORMS:
        text = form.sub(rf"\g<1>{MASK}", text)
    return strutils.mask_password(text, secret=MASK)


class HttpBodies(logging.Filter):
    """Hides what keystoneauth's log shows at DEBUG of secrets that travel in requests and answers.

    They are an image's password, among the properties that Glance shows, and what Barbican stores and returns.
    """

    # A JSON string, and an answer that is plain text: Barbican returns a secret's payload as such.
    _JSON = re.compile(r'("(?:sahara_docker_password|payload)":\s*)"(?:[^"\\]|\\.)*"')
    _TEXT = re.compile(r"(RESP BODY: )(?![\[{]).*", re.DOTALL)

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        record.msg, record.args = self._TEXT.sub(rf"\g<1>{MASK}", self._JSON.sub(rf'\g<1>"{MASK}"', text)), ()
        return True

    @classmethod
    def install(cls) -> None:
        """Put the filter on keystoneauth's loggers of this process; again is harmless."""
        for name in ("", ".request", ".response", ".body"):
            logger = logging.getLogger(f"keystoneauth.session{name}")
            if not any(isinstance(one, cls) for one in logger.filters):
                logger.addFilter(cls())

# SPDX-License-Identifier: Apache-2.0
"""Shell scripts that change files on a node.

A container's /etc/hosts, /etc/hostname and /etc/resolv.conf are bind mounts: ``mv`` onto them and ``sed -i`` fail with
"Device or resource busy", so a file is always written through, with ``cat``, keeping its owner, its mode and its inode.
The data comes by standard input and is staged first: a connection that breaks half-way leaves the file as it was.

Every function returns a script for ``sh``; those that take *size* expect that many bytes on standard input, and those
that edit return what it expects there as well: nobody on the node shall see either in an argument list. Paths are
taken literally, relative ones from the login user's home.
"""

from __future__ import annotations

import shlex
from typing import NamedTuple


class Edit(NamedTuple):
    """A script, and the sed expression for its standard input: plugins write passwords by it."""

    script: str
    data: bytes


# sed's delimiter: a character that no path, host name or configuration line has.
_DELIMITER = "\x01"


def write(path: str, size: int) -> str:
    """Replace the content of *path*."""
    return _staged(size, f'cat "$staged" > {_quoted(path)}')


def append(path: str, size: int) -> str:
    """Add to the end of *path*."""
    return _staged(size, f'cat "$staged" >> {_quoted(path)}')


def prepend(path: str, size: int) -> str:
    """Add before the beginning of *path*."""
    target = _quoted(path)
    return _staged(size, f'{{ [ ! -e {target} ] || cat {target} >> "$staged"; }} && cat "$staged" > {target}')


def read(path: str) -> str:
    """Print *path*."""
    return f"cat -- {_quoted(path)}"


def replace_string(path: str, pattern: str, replacement: str) -> Edit:
    """Replace every match of *pattern*, a basic regular expression, by the literal *replacement*."""
    return _edited(path, f"s{_DELIMITER}{pattern}{_DELIMITER}{_literal(replacement)}{_DELIMITER}g")


def replace_line(path: str, start: str, line: str) -> Edit:
    """Replace every line that begins with *start*, a basic regular expression, by the literal *line*."""
    return _edited(path, f"s{_DELIMITER}^{start}.*{_DELIMITER}{_literal(line)}{_DELIMITER}")


def _staged(size: int, then: str) -> str:
    return f"""staged=$(mktemp) || exit
edited=
trap 'rm -f "$staged" "$edited"' EXIT
cat > "$staged"
arrived=$(wc -c < "$staged")
if [ "$arrived" -ne {size} ]; then
    echo "only $arrived of {size} bytes arrived" >&2
    exit 74
fi
{then}"""


def _edited(path: str, expression: str) -> Edit:
    target = _quoted(path)
    data = expression.encode()
    then = f'edited=$(mktemp) && sed -f "$staged" {target} > "$edited" && cat "$edited" > {target}'
    return Edit(_staged(len(data), then), data)


def _literal(text: str) -> str:
    """*text* for the right side of sed's ``s``, where ``&`` and the backslash mean something."""
    return text.replace("\\", "\\\\").replace("&", "\\&").replace("\n", "\\\n")


def _quoted(path: str) -> str:
    return shlex.quote(f"./{path}" if path.startswith("-") else path)

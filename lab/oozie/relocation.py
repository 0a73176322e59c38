# SPDX-License-Identifier: Apache-2.0
"""Move a Java package to another name, as a build does that "shades" a library.

Names of classes stand in a class file's constant pool as plain text with its length in front, and nowhere else
(Java Virtual Machine Specification, 4.4): nothing has to be compiled again.
"""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

from sahara_docker import exceptions

_TEXT = 1
#: Bytes of a constant after its tag (section 4.4 of the specification); a text brings its own length.
_SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}
#: Long and Double take two places in the pool.
_DOUBLE = (5, 6)


def relocate(jar: Path, package: str, new: str, target: Path) -> None:
    """Write the classes of *package* in *jar* to *target* as a package *new*; nothing else of the jar.

    :param package: such as ``org.roaringbitmap``; the packages below it go with it.
    :raises SaharaDockerError: *jar* has no class in *package*, or one that cannot be read.
    """
    old_path, new_path = (name.replace(".", "/").encode() for name in (package, new))
    prefix = f"{old_path.decode()}/"
    with zipfile.ZipFile(jar) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as moved:
        names = [name for name in source.namelist() if name.startswith(prefix) and name.endswith(".class")]
        if not names:
            raise exceptions.SaharaDockerError(f"no class of {package}", where=str(jar))
        for name in names:
            try:
                code = _renamed(source.read(name), old_path, new_path)
            except (KeyError, IndexError, struct.error) as error:
                raise exceptions.SaharaDockerError(
                    f"{name} is no class file", where=str(jar), observed=repr(error)
                ) from error
            # The date of the original, so that the same input makes the same jar.
            entry = zipfile.ZipInfo(name.replace(prefix, f"{new_path.decode()}/", 1), source.getinfo(name).date_time)
            moved.writestr(entry, code, zipfile.ZIP_DEFLATED)


def _renamed(code: bytes, old: bytes, new: bytes) -> bytes:
    (count,) = struct.unpack_from(">H", code, 8)
    parts, at, index = [code[:10]], 10, 1
    while index < count:
        tag = code[at]
        if tag == _TEXT:
            (length,) = struct.unpack_from(">H", code, at + 1)
            end = at + 3 + length
            text = code[at + 3 : end].replace(old, new)
            parts.append(struct.pack(">BH", _TEXT, len(text)) + text)
        else:
            end = at + 1 + _SIZES[tag]
            parts.append(code[at:end])
        index += 2 if tag in _DOUBLE else 1
        at = end
    return b"".join([*parts, code[at:]])

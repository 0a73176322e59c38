# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of its arguments in a process that is patched as sahara-engine is."""

from __future__ import annotations

from sahara.utils import patches

patches.patch_all()

import sys  # noqa: E402
import unittest  # noqa: E402

if __name__ == "__main__":
    unittest.main(module=None, argv=[sys.argv[0], "--failfast", *sys.argv[1:]])

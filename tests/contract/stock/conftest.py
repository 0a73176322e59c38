# SPDX-License-Identifier: Apache-2.0
"""Makes this process one like sahara-engine's, before anything else is imported: importing stock's tests would do so
in the middle."""

from sahara.utils import patches

patches.patch_all()

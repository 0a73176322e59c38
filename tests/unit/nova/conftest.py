# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

# Importing anything of nova.api puts eventlet's parts in the place of the standard library's; in the middle of a run,
# that would leave other tests with a socket of one kind and a selector of the other.
os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "1"

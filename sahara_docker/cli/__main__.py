# SPDX-License-Identifier: Apache-2.0
"""``python -m sahara_docker.cli``, where the script is not on the path."""

import sys

from sahara_docker.cli import main

sys.exit(main.main())

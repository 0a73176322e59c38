# SPDX-License-Identifier: Apache-2.0
"""Where Nova's loader finds the driver: it imports ``nova.virt.<compute_driver>`` and nothing else.

Installed into Nova's own package directory; there is deliberately no ``nova/__init__.py`` beside it.
"""

from sahara_docker.nova.driver import DockerDriver

__all__ = ["DockerDriver"]

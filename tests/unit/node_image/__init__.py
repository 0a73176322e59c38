# SPDX-License-Identifier: Apache-2.0
"""Tests of how the node image is put together, without Docker and without packages."""

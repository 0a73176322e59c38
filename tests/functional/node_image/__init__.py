# SPDX-License-Identifier: Apache-2.0
"""Tests of the node image itself, in real unprivileged containers."""

# SPDX-License-Identifier: Apache-2.0
"""Hive for the lab's node image."""

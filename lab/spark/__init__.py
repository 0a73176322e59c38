# SPDX-License-Identifier: Apache-2.0
"""Spark for the lab's node image; README.md says what is in it and what is not."""

# SPDX-License-Identifier: Apache-2.0
"""HBase for the lab's node image."""

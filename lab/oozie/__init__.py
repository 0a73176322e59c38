# SPDX-License-Identifier: Apache-2.0
"""A real Apache Oozie for the lab's nodes: its jars (``pom.xml``), its layout (``layer``), its start (``server``)."""

# SPDX-License-Identifier: Apache-2.0
"""Apache Hadoop for the lab's nodes, from Maven Central: ``pom.xml`` pins what, :mod:`lab.hadoop.jars` fetches it."""

# SPDX-License-Identifier: Apache-2.0
"""Start Apache Oozie on a node from a role's process directory, as ``/opt/oozie/bin/oozie-server`` does.

Runs on the node: standard library only, relative imports only. ``settings`` makes Oozie's configuration, ``sharelib``
brings the jars of its actions to HDFS through ``webhdfs``, ``launch`` becomes the Java process.
"""

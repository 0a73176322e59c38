# SPDX-License-Identifier: Apache-2.0
"""What containers of the node image need of their network where a test makes them without the Nova driver."""

from __future__ import annotations

#: No outgoing connection gets a port that HDFS or HBase listens on; the driver does it for each port of an image.
SYSCTLS = {"net.ipv4.ip_local_reserved_ports": "50010-50095,60000-60030"}

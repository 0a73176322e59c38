# SPDX-License-Identifier: Apache-2.0
"""A stand-in for Cloudera Manager, for the lab only; it is not Cloudera's software and shares no code with it.

Cloudera Manager is proprietary and cannot be had without a subscription. This package speaks the part of its REST API
that Sahara's CDH plugin uses, and starts **real Apache Hadoop** daemons through an agent on every node:

``server``  the REST API on port 7180, the agents' port 7182, state on disk, commands
``hadoop``  what the server knows about Hadoop: services, roles, configuration names, start-up order
``agent``   one on every node: registers its host, starts and supervises the daemons
``init.d``  the service scripts of a node image

Standard library only and relative imports only: a node image carries this directory and nothing else of the project.
"""

from __future__ import annotations

#: The release whose API answers are imitated, and the newest API version that it has.
CM_VERSION = "5.13.0"
API_VERSION = 18

#: The name that every answer, page and log of the stand-in carries.
BANNER = (
    "sahara-docker lab stand-in for Cloudera Manager (not Cloudera's software); it starts real Apache Hadoop daemons"
)

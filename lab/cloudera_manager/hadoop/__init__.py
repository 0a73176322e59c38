# SPDX-License-Identifier: Apache-2.0
"""What the server knows about Hadoop.

``catalogue``   service and role types: user, main class, heap, start-up order, and what the lab does not have
``properties``  Cloudera Manager's configuration names and the Hadoop properties that they become
``settings``    a role's effective configuration: role, role configuration group, service
``topology``    who is where: addresses as Hadoop properties
``sizing``      memory and cores for YARN from what a host may use
``render``      the files of a role's process directory and of the client configuration
``launch``      the command line, environment, directories and probes of a daemon
"""

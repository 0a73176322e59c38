# SPDX-License-Identifier: Apache-2.0
"""Sahara's infrastructure engine for nodes that are containers.

``docker_engine``  the plug point: a ``HeatEngine`` whose steps fit containers
``template``       one flat Heat template for a cluster
``stack``          creates, updates, watches and deletes that stack, each within a limit of time
``event_log``      how a step went on each node, in the log that Sahara shows its users
``scaling``        which nodes a cluster shall have, and what of a scaling can be undone
``lease``          which operation of which process works on a cluster, and stops one that has lost it
``process``        a process in words that other processes can check
``takeover``       finds clusters on which nobody works any more
``recovery``       what becomes of these
``fan_out``        one step on many nodes at once, and all their failures in one error
``access``         waits for the login to new nodes and tells why it does not work yet
``node_setup``     hosts, hostname, resolver and data volumes of a node, in one round trip
"""

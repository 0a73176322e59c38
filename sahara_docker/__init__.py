# SPDX-License-Identifier: Apache-2.0
"""Hadoop clusters of OpenStack Sahara on Docker containers.

What lives where:

``conf``, ``exceptions``   options and errors; both are leaves that import nothing of this package
``engine``                 Sahara infrastructure engine: brings containers of a cluster into service
``ssh``                    Sahara remote: one kept SSH connection a node, password or key login
``plugins.cdh_docker``     Sahara provisioning plugin: CDH through Cloudera Manager
``nova``                   Nova compute driver: a Docker container for each instance
``cli``                    the operator's command ``sahara-docker``

``engine``, ``ssh`` and ``plugins`` import Sahara and never Nova; ``nova`` imports Nova and never Sahara, so that each
side installs without the other.
"""

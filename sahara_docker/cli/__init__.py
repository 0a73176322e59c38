# SPDX-License-Identifier: Apache-2.0
"""The operator's command ``sahara-docker``.

``main``          arguments, errors and exit codes; each subcommand has a package of its own
``doctor``        checks of a host, a cloud and a cluster
``image``         node images, from a check to Sahara's registry
``watch``         a cluster while it is being made, and where the time went
``cloud``         OpenStack's APIs; ``cluster`` a cluster as Sahara's API shows it
``host``          files, processes and configuration of this host
``daemon``        a Docker daemon and the instances on it
``cloudera``      Cloudera Manager's REST API, read only

Neither Sahara nor Nova is imported here: the command runs where only one of them is installed, or none.
"""

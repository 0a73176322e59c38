# SPDX-License-Identifier: Apache-2.0
"""``sahara-docker doctor``: names what is wrong before it costs a cluster, or when it has.

``check``    what a check is; how to add one
``site``     what checks can look at from where the doctor runs
``runner``   all checks side by side; ``report`` their results as text, JSON and documentation
=============  =======================================================================
``kernel``     this host's kernel
``docker``     the Docker daemon; ``instances`` what Nova runs on it
``nova``       nova-compute's settings, and what Placement knows
``glance``     the images, in Glance, in Sahara's registry and on the compute hosts
``sahara``     Sahara's settings and templates
``network``    filters, proxies and ports
``nodes``      a cluster's nodes from inside, with ``node_services`` and ``node_storage``;
               ``node_facts`` collects what they look at
``manager``    Cloudera Manager and what it says of the cluster
=============  =======================================================================
"""

# SPDX-License-Identifier: Apache-2.0
"""Nova compute driver that runs instances as Docker containers.

=================  ===================================================================================
``driver``         Nova's ``ComputeDriver`` contract; decides the order of steps, holds no detail
``hypervisor``     the Docker daemon: connection, errors, capacity, which instances it has
``guest``          one instance: a sandbox container with the network, a container with the work
``construction``   makes the two containers, and puts back what was removed by hand
``replacement``    another container in the place of an instance's: other limits, rescue
``migration``      resize in place, cold migration; ``transfer`` is the way between hosts, by Glance, ``passage``
                   what an instance is made into for that way
``metadata``       keys, files, config drive and user data for images without cloud-init
``execution``      programs run inside a container
``events``         the daemon's events, to Nova at once
``recovery``       after nova-compute or the daemon went down; ``records`` writes to Nova's database
``diagnostics``    an instance's use of the host; ``inventory`` what the host offers
``identity``       hostname, hosts file and resolver of an instance
``limits``         flavor and options -> what the daemon is asked to enforce
``image``          Glance -> daemon and back; ``archive`` is the filter that an image passes on the way,
                   ``oci`` the way of others than Docker to write one
``network``        Neutron ports -> interfaces; ``wiring`` is the wait for Neutron's word
``privileged``     the few steps that need root's rights: networks, devices, mounts
=================  ===================================================================================
"""

# SPDX-License-Identifier: Apache-2.0
"""Nova compute driver that runs instances as Docker containers.

=================  ===================================================================================
``driver``         Nova's ``ComputeDriver`` contract; decides the order of steps, holds no detail
``hypervisor``     the Docker daemon: connection, errors, capacity, which instances it has
``guest``          one instance: a sandbox container with the network, a container with the work
``identity``       hostname, hosts file and resolver of an instance
``limits``         flavor and options -> what the daemon is asked to enforce
``image``          Glance -> daemon and back; ``archive`` is the filter that an image passes on the way
``network``        Neutron ports -> interfaces; ``privileged`` has the few steps that need the network
                   administrator's rights, ``wiring`` the wait for Neutron's word
=================  ===================================================================================
"""

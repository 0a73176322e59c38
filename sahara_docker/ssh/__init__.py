# SPDX-License-Identifier: Apache-2.0
"""Sahara's remote for containers: one kept SSH connection a node, inside the engine's process.

``driver``       the plug point that Sahara loads; installs our engine as well
``remote``       what ``instance.remote()`` returns: Sahara's ``Remote`` interface, one object a call
``route``        who a node is, where it answers, and with what to log in
``pool``         connections kept, counted, lent and closed
``connection``   one paramiko transport: dial, host key, login
``host_keys``    which key each node showed first, kept with its cluster
``authentication``  tries the methods of a login in turn
``logins``       which methods a node's login has, and in which order
``image_password``  the password that an image in Glance brings
``node_password``  the password that a node alone has
``command``      one command on one channel, its three streams and its deadline
``files``        scripts that read and write files without ``mv`` onto bind mounts
``os_release``   the distribution's name and version, from the file that every image has
``http``         HTTP sessions to a node that ignore this host's proxy
``redaction``    keeps secrets out of logs and errors
``errors``       what can go wrong, told apart
"""

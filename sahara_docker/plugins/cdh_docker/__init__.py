# SPDX-License-Identifier: Apache-2.0
"""The provisioning plugin ``cdh_docker``: Sahara's CDH plugin, mended and made fit for Docker containers.

What Sahara sees
    ``provider`` is the plugin, ``versions`` its rows of CDH versions, ``version_handler`` joins the parts for one of
    them.
A cluster's life
    ``deployment`` creates, starts, grows and shrinks; ``nodes`` brings the services on a node up, ``images`` checks the
    image, ``proxy`` the environment, ``databases`` the database accounts, ``security`` Kerberos, ``availability`` the
    standby masters.
Cloudera Manager
    ``cm_session`` speaks HTTP, ``cm_client`` knows the calls, ``cm_commands`` waits for commands, ``health`` reads its
    verdicts.
What is sent to it
    ``topology`` maps processes to services and roles, ``role_configs`` computes their settings, ``storage`` and
    ``sizing`` derive some of them from the node and the flavor, ``options`` holds what a user can set,
    ``option_texts`` what the user reads about it.
Jobs
    ``edp``.

Nodes are reached through ``instance.remote()`` only.
"""

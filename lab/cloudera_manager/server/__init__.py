# SPDX-License-Identifier: Apache-2.0
"""The server of the stand-in.

``model``      what there is: hosts, users, clusters, services, roles, commands
``store``      the model on disk
``views``      the model as the JSON of one API version
``api``, ``service_api``, ``command_api``  every endpoint: method, path, function
``routing``    from method and path to the function
``web``        HTTP on port 7180: authentication, errors
``page``, ``command_page``, ``markup``  the pages for people on port 7180
``agents``     HTTP on port 7182: the agents' heartbeats and tasks
``commands``   asynchronous commands with children
``workflows``  what a command does: start, stop, first run, decommission, client configuration
``health``     from what the agents report to GOOD, CONCERNING, BAD
"""

# SPDX-License-Identifier: Apache-2.0
"""The agent of the stand-in: registers its host with the server and runs what the server asks for.

It knows nothing about Hadoop: a process is files, directories, a command line, a user and probes, all rendered by the
server. Protocol, JSON over HTTP to port 7182 of the server:

``POST /agent/heartbeat``  the host and its processes; answers how many seconds until the next one
``POST /agent/tasks``      answers with work as soon as there is some (long poll), else an empty list
``POST /agent/results``    the outcome of one task
"""

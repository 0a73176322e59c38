# SPDX-License-Identifier: Apache-2.0
"""``sahara-docker watch``: what is going on in a cluster, and where the time went.

``sources``    asks Sahara, Heat, Nova and Cloudera Manager for a snapshot
``story``      snapshots -> events, spans of time, and what is being waited for
``screen``     the story on one screen; ``lines`` as one line an event, for a log
``timeline``   the spans as a picture
``command``    the subcommand
"""

# SPDX-License-Identifier: Apache-2.0
"""``sahara-docker image``: node images, from the recipe to Sahara's registry.

``command``    the subcommands and their output
``build``      an image from a base (``base``), packages (``software``) and what makes a node of them (``recipe``)
``archive``    an image as ``docker save`` writes it, from a daemon or a file
``register``   into Glance and Sahara's registry, again and again under the same name
``subject``    an image that runs for a check; ``trials`` what is tried on it
"""

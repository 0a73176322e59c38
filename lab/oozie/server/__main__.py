# SPDX-License-Identifier: Apache-2.0
"""``python3 -m oozie_server``: prepare Oozie's configuration and share lib, then become Oozie."""

from __future__ import annotations

import os
import sys

from . import launch, settings, sharelib, webhdfs


def main() -> int:
    """Replace this process by Oozie; return 1 after saying why that cannot be."""
    try:
        place = settings.Place.from_environment(os.environ)
        site = settings.write(place)
        sharelib.ensure(site, hadoop=settings.hadoop_properties(place.process_dir), source=place.home / "sharelib")
    except (settings.SettingsError, webhdfs.WebHdfsError) as error:
        print(f"oozie-server: {error}", file=sys.stderr, flush=True)
        return 1
    command = launch.command(place, os.environ.get("OOZIE_JAVA_OPTS", ""))
    os.chdir(place.data_dir)
    os.execv(command[0], command)  # noqa: S606  # the role's process is Oozie itself, so that signals reach it


if __name__ == "__main__":
    sys.exit(main())

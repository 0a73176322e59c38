# SPDX-License-Identifier: Apache-2.0
"""The command line of Oozie's Java process."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from . import settings

JAVA_HOME = "/usr/lib/jvm/java-17-openjdk-amd64"
MAIN_CLASS = "org.apache.oozie.server.EmbeddedOozieServer"

#: Small heap, simplest collector, first compiler only: a server for a few jobs on a small node, started often.
DEFAULTS = ("-Xmx256m", "-XX:+NeverActAsServerClassMachine", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")


def command(place: settings.Place, java_options: str = "", hadoop: Path = settings.HADOOP) -> list[str]:
    """Return the arguments that start Oozie in the foreground.

    :param java_options: more options, quoted as for a shell; they come last and so win.
    :param hadoop: where the image keeps Hadoop: ``java.options`` and ``classpath``, both made when it was built.
    :raises settings.SettingsError: there is no Hadoop.
    """
    try:
        hadoop_jars = (hadoop / "classpath").read_text().strip()
    except OSError as error:
        raise settings.SettingsError(
            f"cannot read {error.filename}: {error.strerror}; is this a node image?"
        ) from error
    oozie = {
        "oozie.home.dir": place.home,
        "oozie.config.dir": place.config_dir,
        "oozie.data.dir": place.data_dir,
        "oozie.log.dir": place.log_dir,
        "derby.stream.error.file": place.log_dir / "derby.log",
        # Oozie acts on HDFS and YARN as this user and for its clients' users as a proxy.
        "user.name": "oozie",
    }
    # Hadoop first: its archive of shared classes wants its own class path as the beginning of the real one.
    class_path = (hadoop_jars, place.home / "lib" / "*", place.home / "webroot")
    return [
        os.path.join(os.environ.get("JAVA_HOME", JAVA_HOME), "bin", "java"),
        f"@{hadoop / 'java.options'}",
        *DEFAULTS,
        *shlex.split(java_options),
        *(f"-D{name}={value}" for name, value in oozie.items()),
        "-cp", ":".join(map(str, class_path)),
        MAIN_CLASS,
    ]  # fmt: skip

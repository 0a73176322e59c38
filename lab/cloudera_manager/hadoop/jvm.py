# SPDX-License-Identifier: Apache-2.0
"""Options of the Java virtual machine that all daemons and tasks have in common."""

from __future__ import annotations

JAVA_HOME = "/usr/lib/jvm/java-17-openjdk-amd64"
JAVA = f"{JAVA_HOME}/bin/java"

#: The node image's class path, in the order that its archive of shared classes was made with, and that archive.
CLASS_PATH_FILE = "/opt/hadoop/classpath"
SHARED_CLASSES = "/opt/hadoop/cds/hadoop.jsa"

#: Packages that Hadoop reaches into by reflection, as its own start script opens them on Java 17.
_OPENED = (
    "java.base/java.io", "java.base/java.lang", "java.base/java.lang.reflect", "java.base/java.math",
    "java.base/java.net", "java.base/java.nio", "java.base/java.security", "java.base/java.text", "java.base/java.util",
    "java.base/java.util.concurrent", "java.base/java.util.regex", "java.base/java.util.zip",
    "java.base/sun.nio.ch", "java.base/sun.security.util",
)  # fmt: skip


def opens() -> list[str]:
    """Return the options that open the JDK's packages to Hadoop."""
    return [f"--add-opens={package}=ALL-UNNAMED" for package in _OPENED]


def fast_start() -> list[str]:
    """Return options for short lives on few cores: the first compiler only, the simplest collector, no side files.

    The collector is not named: a user's options may name one, Pig's tasks always do, and two of them are an error.
    """
    return [
        "-XX:TieredStopAtLevel=1", "-XX:+NeverActAsServerClassMachine", "-XX:-UsePerfData", "-Xshare:auto",
        "-Djava.net.preferIPv4Stack=true",
    ]  # fmt: skip


def shared_classes() -> list[str]:
    """Return the option that maps Hadoop's classes instead of loading them; with another class path it does nothing."""
    return [f"-XX:SharedArchiveFile={SHARED_CLASSES}"]


def readable(options: str) -> list[str]:
    """Split options that were set for Java 8 and let the JVM ignore those that it does not know any more."""
    words = options.replace("{{JAVA_GC_ARGS}}", "").split()
    return ["-XX:+IgnoreUnrecognizedVMOptions", *words] if words else []

# SPDX-License-Identifier: Apache-2.0
"""Oozie's configuration: the image's defaults, above them the role's values, above those what only this start knows."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

HOME = Path("/opt/oozie")
HADOOP = Path("/opt/hadoop")


class SettingsError(Exception):
    """The role's environment or one of its files cannot be used; the text says which and what to do."""


@dataclass(frozen=True)
class Place:
    """Where one Oozie server lives.

    ``process_dir`` holds the role's ``*-site.xml`` files and is only read; ``data_dir`` (job store, configuration
    in effect) and ``log_dir`` are written.
    """

    process_dir: Path
    data_dir: Path
    log_dir: Path
    port: int
    host: str
    home: Path = HOME

    @property
    def config_dir(self) -> Path:
        """The directory that Oozie itself reads."""
        return self.data_dir / "conf"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Place:
        """Read what the agent passes: ``OOZIE_CONF_DIR`` and, if it likes, ``OOZIE_DATA_DIR``, ``OOZIE_LOG_DIR``,
        ``OOZIE_HTTP_PORT`` and ``OOZIE_HTTP_HOSTNAME``.

        The host is by default the node's full name, so that tasks on other nodes reach Oozie's callback.

        :raises SettingsError: a directory does not exist or cannot be made, or the port is no port.
        """
        if not environ.get("OOZIE_CONF_DIR"):
            raise SettingsError("OOZIE_CONF_DIR is not set; give the role's process directory")
        process_dir = Path(environ["OOZIE_CONF_DIR"])
        if not (process_dir / "core-site.xml").is_file():
            raise SettingsError(
                f"{process_dir} has no core-site.xml; set OOZIE_CONF_DIR to the role's process directory"
            )
        port = environ.get("OOZIE_HTTP_PORT", "11000")
        if not port.isdigit() or not 0 < int(port) < 65536:
            raise SettingsError(f"OOZIE_HTTP_PORT is {port!r}; give a port from 1 to 65535")
        place = cls(
            process_dir=process_dir,
            data_dir=Path(environ.get("OOZIE_DATA_DIR", "/var/lib/oozie/data")),
            log_dir=Path(environ.get("OOZIE_LOG_DIR", "/var/log/oozie")),
            port=int(port),
            host=environ.get("OOZIE_HTTP_HOSTNAME") or socket.getfqdn(),
            home=Path(environ.get("OOZIE_HOME", str(HOME))),
        )
        for directory in (place.config_dir, place.log_dir):
            try:
                directory.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise SettingsError(f"cannot make {directory}: {error.strerror}; give it to the user oozie") from error
        return place


def read(path: Path) -> dict[str, str]:
    """Return the properties of a Hadoop configuration file, an empty dict when there is no such file.

    :raises SettingsError: the file is not XML.
    """
    if not path.is_file():
        return {}
    try:
        root = ElementTree.parse(path).getroot()  # noqa: S314  # the agent wrote it
    except ElementTree.ParseError as error:
        raise SettingsError(f"{path} is not a Hadoop configuration file: {error}") from error
    properties = ((item.findtext("name", ""), item.findtext("value", "")) for item in root.iter("property"))
    return {name.strip(): (value or "").strip() for name, value in properties if name.strip()}


def hadoop_properties(process_dir: Path) -> dict[str, str]:
    """Return what a client of the role's HDFS needs to know."""
    return {**read(process_dir / "core-site.xml"), **read(process_dir / "hdfs-site.xml")}


def site(place: Place) -> dict[str, str]:
    """Return Oozie's properties in effect for this start."""
    return {
        **read(place.home / "conf" / "oozie-site.xml"),
        **read(place.process_dir / "oozie-site.xml"),
        "oozie.base.url": f"http://{place.host}:{place.port}/oozie",
        "oozie.http.port": str(place.port),
        "oozie.jsp.tmp.dir": str(place.data_dir / "tmp"),
        "oozie.service.HadoopAccessorService.hadoop.configurations": f"*={place.process_dir}",
        "oozie.service.HadoopAccessorService.action.configurations": f"*={place.home / 'conf' / 'action-conf'}",
    }


def write(place: Place) -> dict[str, str]:
    """Write the directory that Oozie reads and return its properties."""
    properties = site(place)
    root = ElementTree.Element("configuration")
    for name, value in sorted(properties.items()):
        item = ElementTree.SubElement(root, "property")
        ElementTree.SubElement(item, "name").text = name
        ElementTree.SubElement(item, "value").text = value
    ElementTree.ElementTree(root).write(place.config_dir / "oozie-site.xml", encoding="utf-8", xml_declaration=True)
    shutil.copyfile(place.home / "conf" / "oozie-log4j.properties", place.config_dir / "oozie-log4j.properties")
    return properties

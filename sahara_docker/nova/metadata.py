# SPDX-License-Identifier: Apache-2.0
"""What cloud-init would fetch, for images without it: written into the container before its first process runs.

=====================  ==================================================================================
the instance's keypair  ``~/.ssh/authorized_keys`` of root, or of the image's property ``os_admin_user``
injected files          where the request says
config drive            the files of one, in the directory where cloud-init looks for them without a drive
user data               its scripts, run once as root when the image has ``docker_run_user_data = true``
=====================  ==================================================================================

Nothing of it is in the container's labels, environment or command, which ``docker inspect`` shows.
"""

from __future__ import annotations

import base64
import email
import io
import posixpath
import tarfile
from typing import Any, Callable, Iterable, NamedTuple

from nova import objects
from nova.virt import configdrive
from oslo_log import log as logging
from oslo_utils import strutils

from sahara_docker.nova import guest

LOG = logging.getLogger(__name__)

# The seed directory of cloud-init's data source ConfigDrive.
_CONFIG_DRIVE = "/var/lib/cloud/seed/config_drive"
_USER_DATA = "/var/lib/nova-user-data"
_RUN_PROPERTY = "image_docker_run_user_data"
# The directory is made by whoever comes first, and only once in the life of the root file system.
_RUN = f"""
mkdir {_USER_DATA}/started 2>/dev/null || exit 0
for script in {_USER_DATA}/*.script; do
  echo "user data: $script"; "$script"; echo "user data: $script ended with status $?"
done >/proc/1/fd/1 2>&1 </dev/null
"""


class File(NamedTuple):
    """A file to write: its absolute ``path``, ``content``, ``mode`` and the owner's ``uid`` and ``gid``."""

    path: str
    content: bytes
    mode: int = 0o600
    uid: int = 0
    gid: int = 0


class Account(NamedTuple):
    """A user of the image."""

    uid: int
    gid: int
    home: str


def login_user(instance: Any) -> str:
    """Return the user of an instance's image whom administrators log in as."""
    return objects.ImageMeta.from_instance(instance).properties.get("os_admin_user") or "root"


def write(
    its_guest: guest.Guest,
    instance: Any,
    injected_files: Iterable[tuple[str, bytes | str]],
    admin_password: str | None,
    network_info: Any,
    read: Callable[[str], bytes | None],
) -> None:
    """Write everything that an instance gets into its workload, which was created and not started.

    :param read: path -> content of a file of the image, None when it is not there.
    """
    files = [File(posixpath.join("/", path), _bytes(content)) for path, content in injected_files or ()]
    if instance.key_data:
        files += _authorized_keys(read, instance)
    if configdrive.required_by(instance):
        files += _config_drive(instance, files, admin_password, network_info)
    if _wants_user_data(instance):
        files += _scripts(base64.b64decode(instance.user_data))
    if files:
        its_guest.unpack("/", archive(files))


def run_user_data(its_guest: guest.Guest, instance: Any) -> None:
    """Start the scripts of the user data in the running workload, unless they ran before; their output is its log."""
    if _wants_user_data(instance):
        its_guest.run_detached(["sh", "-c", _RUN])


def _wants_user_data(instance: Any) -> bool:
    return bool(instance.user_data) and strutils.bool_from_string(instance.system_metadata.get(_RUN_PROPERTY, ""))


def archive(files: Iterable[File]) -> bytes:
    """Return a tar archive of *files*, to be unpacked in the root.

    A directory that the archive does not have and the image neither, Docker makes for root.
    """
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for file in files:
            member = tarfile.TarInfo(file.path.lstrip("/"))
            member.mode, member.uid, member.gid = file.mode, file.uid, file.gid
            if file.path.endswith("/"):
                member.type = tarfile.DIRTYPE
            else:
                member.size = len(file.content)
            tar.addfile(member, io.BytesIO(file.content))
    return out.getvalue()


def account(passwd: str, user: str) -> Account | None:
    """Look a user up in the text of ``/etc/passwd``; None when it is not there."""
    for line in passwd.splitlines():
        fields = line.split(":")
        if len(fields) >= 6 and fields[0] == user and fields[2].isdigit() and fields[3].isdigit():
            return Account(int(fields[2]), int(fields[3]), fields[5])
    return None


def _authorized_keys(read: Callable[[str], bytes | None], instance: Any) -> list[File]:
    user = login_user(instance)
    found = account((read("/etc/passwd") or b"").decode(errors="replace"), user)
    if not found:
        LOG.warning("The image has no user %s who could get the key %s", user, instance.key_name, instance=instance)
        return []
    directory = posixpath.join(found.home, ".ssh")
    path = posixpath.join(directory, "authorized_keys")
    there = read(path) or b""
    if there and not there.endswith(b"\n"):
        there += b"\n"
    content = there + instance.key_data.strip().encode() + b"\n"
    return [
        File(directory + "/", b"", 0o700, found.uid, found.gid),
        File(path, content, 0o600, found.uid, found.gid),
    ]


def _config_drive(instance: Any, files: list[File], admin_password: str | None, network_info: Any) -> list[File]:
    extra = {"admin_pass": admin_password} if admin_password else {}
    content = [(file.path, file.content) for file in files if not file.path.endswith("/")]
    drive = _collected(instance, content, extra, network_info)
    return [File(posixpath.join(_CONFIG_DRIVE, path), _bytes(data)) for path, data in drive]


def _collected(instance: Any, content: Any, extra: dict[str, str], network_info: Any) -> Iterable[tuple[str, Any]]:
    """Return path and data of what Nova collects from its database and Neutron for a config drive."""
    # Here, because the import makes the whole process one of eventlet (before Nova 31); nova-compute is that already.
    from nova.api.metadata import base as instance_metadata

    drive = instance_metadata.InstanceMetadata(instance, content=content, extra_md=extra, network_info=network_info)
    return drive.metadata_for_config_drive()


def _scripts(user_data: bytes) -> list[File]:
    """Return the scripts in user data: all of it, or the shell scripts among its MIME parts.

    Heat packs the script of a server as the part ``cfn-userdata``, beside scripts that only cloud-init has a use for.
    """
    if user_data.startswith(b"#!"):
        scripts = [user_data]
    else:
        parts = list(email.message_from_bytes(user_data).walk())
        chosen = [p for p in parts if p.get_filename() == "cfn-userdata"] or [
            p for p in parts if p.get_content_type() == "text/x-shellscript"
        ]
        payloads = [p.get_payload(decode=True) for p in chosen]
        scripts = [payload for payload in payloads if isinstance(payload, bytes) and payload.startswith(b"#!")]
    return [File(f"{_USER_DATA}/{number:02}.script", script, 0o700) for number, script in enumerate(scripts)]


def _bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content

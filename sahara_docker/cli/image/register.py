# SPDX-License-Identifier: Apache-2.0
"""An image's way into Glance and Sahara's registry.

A name means one image at a time. When a changed one takes the name, what is still needed of the old one stays: an image
that clusters or templates name keeps its tags under another name, so that these clusters can still grow; one that
nobody names is deleted.
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any, Callable, Iterator

from sahara_docker import exceptions
from sahara_docker.cli import cloud, cluster, registry
from sahara_docker.cli.image import archive

#: Glance properties of this command's own.
DOCKER_ID, REPLACED_BY = "docker_image_id", "sahara_docker_replaced_by"
_UPLOAD_TIMEOUT = 3600
_JSON_PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
_CACHE_API = {"X-OpenStack-Nova-API-Version": "2.81"}

Progress = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True)
class Wanted:
    """How an image is to be registered.

    :param name: in Glance.
    :param version: of CDH, such as ``5.13.0``.
    :param user: who Sahara logs in as.
    :param password: of that user; empty to leave what the image has.
    :param visibility: ``public``, ``private``, ``shared`` or ``community``.
    """

    name: str
    version: str
    user: str
    password: str = dataclasses.field(default="", repr=False)
    visibility: str = "private"

    @property
    def tags(self) -> tuple[str, str]:
        """What Sahara finds it by."""
        return (cluster.PLUGIN, self.version)


@dataclasses.dataclass(frozen=True)
class Registered:
    """What became of an image: its id, whether it was uploaded, and what happened to its predecessors."""

    id: str
    uploaded: bool
    deleted: tuple[str, ...]
    kept: tuple[str, ...]


def register(openstack: cloud.Cloud, image: archive.Archive, wanted: Wanted, progress: Progress) -> Registered:
    """Bring *image* into Glance unless the very same is there, tell Sahara about it, and see that it shows.

    :param progress: called with the bytes sent and the bytes in all while an upload goes on.
    :raises SaharaDockerError: Glance or Sahara refuses, or does not show what was registered; nothing half-made stays.
    """
    version_is_known(openstack, wanted.version)
    _takes_docker(openstack)
    older = openstack.get("image", f"/images?name={wanted.name}&sort=created_at:desc")["images"]
    same = next((one for one in older if one.get(DOCKER_ID) == image.docker_id and one["status"] == "active"), None)
    identifier = same["id"] if same else _upload(openstack, image, wanted, progress)
    try:
        _describe(openstack, identifier, wanted)
        verify(openstack, identifier, wanted)
    except BaseException:
        if same is None:
            openstack.request("DELETE", "image", f"/images/{identifier}")
        raise
    superseded = openstack.get("image", f"/images?{REPLACED_BY}=true")["images"]
    kept, deleted = _retire(
        openstack, {one["id"]: one for one in (*older, *superseded) if one["id"] != identifier}, wanted.name
    )
    return Registered(identifier, same is None, tuple(deleted), tuple(kept))


def version_is_known(openstack: cloud.Cloud, version: str) -> None:
    """See that Sahara's plugin has that version.

    :raises SaharaDockerError: it does not, or Sahara has no such plugin.
    """
    plugins = {one["name"]: one["versions"] for one in openstack.get("data-processing", "/plugins")["plugins"]}
    if cluster.PLUGIN not in plugins:
        raise exceptions.SaharaDockerError(
            f"Sahara has no plugin {cluster.PLUGIN}", observed=", ".join(plugins), remedy="sahara-docker doctor sahara"
        )
    if version not in plugins[cluster.PLUGIN]:
        raise exceptions.SaharaDockerError(
            f"{cluster.PLUGIN} has no version {version}", observed=", ".join(plugins[cluster.PLUGIN]),
            remedy="name one of these with --version",
        )  # fmt: skip


def _takes_docker(openstack: cloud.Cloud) -> None:
    known = openstack.get("image", "/schemas/image")["properties"]["container_format"]["enum"]
    if "docker" not in known:
        raise exceptions.SaharaDockerError(
            "Glance does not take Docker images", observed=", ".join(str(one) for one in known if one),
            remedy="add docker to [image_format] container_formats in glance-api.conf and restart glance-api",
        )  # fmt: skip


def _upload(openstack: cloud.Cloud, image: archive.Archive, wanted: Wanted, progress: Progress) -> str:
    body = {
        "name": wanted.name,
        "container_format": "docker",
        "disk_format": "raw",
        "visibility": wanted.visibility,
        DOCKER_ID: image.docker_id,
    }
    identifier = openstack.request("POST", "image", "/images", json=body).json()["id"]
    try:
        with image.open() as chunks:
            openstack.request(
                "PUT", "image", f"/images/{identifier}/file", data=_counted(chunks, image.size, progress),
                headers={"Content-Type": "application/octet-stream"}, timeout=_UPLOAD_TIMEOUT,
            )  # fmt: skip
    except BaseException:
        openstack.request("DELETE", "image", f"/images/{identifier}")
        raise
    return identifier


def _counted(chunks: Iterator[bytes], size: int, progress: Progress) -> Iterator[bytes]:
    sent = 0
    for chunk in chunks:
        yield chunk
        sent += len(chunk)
        progress(sent, max(size, sent))


def _describe(openstack: cloud.Cloud, identifier: str, wanted: Wanted) -> None:
    if wanted.password:
        _patch(openstack, identifier, {registry.PASSWORD: wanted.password})
    description = f"CDH {wanted.version} node on Docker"
    body = {"username": wanted.user, "description": description}
    openstack.request("POST", "data-processing", f"/images/{identifier}", json=body)
    found = openstack.request("POST", "data-processing", f"/images/{identifier}/tag", json={"tags": list(wanted.tags)})
    others = [tag for tag in found.json()["image"]["tags"] if tag not in wanted.tags]
    if others:
        openstack.request("POST", "data-processing", f"/images/{identifier}/untag", json={"tags": others})


def _patch(openstack: cloud.Cloud, identifier: str, values: dict[str, str]) -> None:
    changes = [{"op": "add", "path": f"/{name}", "value": value} for name, value in values.items()]
    openstack.request("PATCH", "image", f"/images/{identifier}", json=changes, headers=_JSON_PATCH, log=False)


def verify(openstack: cloud.Cloud, identifier: str, wanted: Wanted) -> None:
    """See that Sahara shows the image under its tags, with its user.

    :raises SaharaDockerError: it does not.
    """
    query = "&".join(f"tags={tag}" for tag in wanted.tags)
    shown = {one["id"]: one for one in openstack.get("data-processing", f"/images?{query}")["images"]}
    found = shown.get(identifier)
    if found is None or found.get("username") != wanted.user or not set(wanted.tags) <= set(found["tags"]):
        raise exceptions.SaharaDockerError(
            "Sahara does not show the image as it was registered", where=identifier,
            observed=f"user {found.get('username')}, tags {', '.join(found['tags'])}" if found else "it is not listed",
            remedy="sahara-docker doctor glance sahara",
        )  # fmt: skip


def _retire(openstack: cloud.Cloud, older: dict[str, dict[str, Any]], name: str) -> tuple[list[str], list[str]]:
    """Rename the images that are still needed, delete the others; return the ids of both."""
    needed = _named_by_somebody(openstack) if older else set()
    kept, deleted = [], []
    for identifier, image in older.items():
        if identifier not in needed:
            openstack.request("DELETE", "image", f"/images/{identifier}")
            deleted.append(identifier)
            continue
        kept.append(identifier)
        if image["name"] == name:
            day = datetime.date.today().isoformat()
            changes = [
                {"op": "replace", "path": "/name", "value": f"{name}-until-{day}-{identifier[:8]}"},
                {"op": "add", "path": f"/{REPLACED_BY}", "value": "true"},
            ]
            openstack.request("PATCH", "image", f"/images/{identifier}", json=changes, headers=_JSON_PATCH)
    return kept, deleted


def _named_by_somebody(openstack: cloud.Cloud) -> set[str]:
    """Ids of images that instances, clusters or templates name, as far as this user sees them."""
    named: set[str | None] = set()
    for path in ("clusters", "cluster-templates"):
        for one in openstack.get("data-processing", f"/{path}")[path.replace("-", "_")]:
            named.add(one.get("default_image_id"))
            named |= {group.get("image_id") for group in one.get("node_groups") or []}
    path = "node-group-templates"
    named |= {one.get("image_id") for one in openstack.get("data-processing", f"/{path}")[path.replace("-", "_")]}
    for query in ("?all_tenants=1", ""):
        try:
            servers = openstack.get("compute", f"/servers/detail{query}")["servers"]
        except cloud.CloudError as error:
            if error.status != 403 or not query:
                raise
            continue
        named |= {one["image"]["id"] for one in servers if one["image"]}
        break
    return {one for one in named if one}


def preload(openstack: cloud.Cloud, identifier: str, aggregate: str) -> int:
    """Have the hosts of an aggregate load the image now; Nova answers at once and works on behind.

    :param aggregate: name of a host aggregate.
    :returns: how many hosts it has.
    :raises SaharaDockerError: there is no such aggregate.
    """
    known = {one["name"]: one for one in openstack.get("compute", "/os-aggregates")["aggregates"]}
    if aggregate not in known:
        raise exceptions.SaharaDockerError(
            "there is no such host aggregate", where=aggregate, observed=", ".join(known) or "there is none at all",
            remedy="openstack aggregate create NAME; openstack aggregate add host NAME HOST",
        )  # fmt: skip
    path = f"/os-aggregates/{known[aggregate]['id']}/images"
    openstack.request("POST", "compute", path, json={"cache": [{"id": identifier}]}, headers=_CACHE_API)
    return len(known[aggregate]["hosts"])

# SPDX-License-Identifier: Apache-2.0
"""The node image in Glance, and in Sahara's image registry."""

from __future__ import annotations

from lab import compute_hosts, node_image, rest, settings

IMAGE_NAME = "cdh-5.13.0"
USER_NAME = "cdh"
TAGS = ("cdh_docker", "5.13.0")
#: Glance property by which the lab knows again what it uploaded.
_DOCKER_ID = "docker_image_id"
#: Glance property that holds the password of the image's login user.
PASSWORD = "sahara_docker_password"  # noqa: S105 - a name


def register(lab: settings.Lab, cloud: rest.Cloud, image: node_image.Image) -> str:
    """Upload *image* unless the very same is there, and tell Sahara its user and tags; return the Glance id."""
    identifier = _upload(lab, cloud, image)
    _set_password(lab, cloud, identifier)
    cloud.post("sahara", f"/images/{identifier}", {"username": USER_NAME, "description": "CDH node on Docker"})
    cloud.post("sahara", f"/images/{identifier}/tag", {"tags": list(TAGS)})
    _load_ahead(lab, cloud, identifier)
    return identifier


def _set_password(lab: settings.Lab, cloud: rest.Cloud, identifier: str) -> None:
    """Tell Sahara the image's password, where docs/security.md says how a cloud hides it from its users."""
    patch = [{"op": "add", "path": f"/{PASSWORD}", "value": lab.node_password}]
    headers = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
    cloud.request("PATCH", "glance", f"/images/{identifier}", patch, headers)


def _load_ahead(lab: settings.Lab, cloud: rest.Cloud, identifier: str) -> None:
    """Have the compute hosts load the image while templates are made, and not when the first instance waits for it.

    Nova's image cache API (microversion 2.81) takes the hosts of an aggregate; it answers at once and works on behind.
    """
    version = {"X-OpenStack-Nova-API-Version": "2.81"}
    aggregates = cloud.get("nova", "/os-aggregates")["aggregates"]
    if not aggregates:
        body = {"aggregate": {"name": "docker", "availability_zone": None}}
        aggregates = [cloud.post("nova", "/os-aggregates", body)["aggregate"]]
    for host in compute_hosts.all_of(lab):
        if host.name not in aggregates[0].get("hosts", []):
            cloud.post("nova", f"/os-aggregates/{aggregates[0]['id']}/action", {"add_host": {"host": host.name}})
    path = f"/os-aggregates/{aggregates[0]['id']}/images"
    cloud.request("POST", "nova", path, {"cache": [{"id": identifier}]}, version)


def _upload(lab: settings.Lab, cloud: rest.Cloud, image: node_image.Image) -> str:
    found = cloud.get("glance", f"/images?name={IMAGE_NAME}")["images"]
    for entry in found:
        if entry["status"] == "active" and entry.get(_DOCKER_ID) == image.id:
            return entry["id"]
    body = {
        "name": IMAGE_NAME,
        # Docker's own format: what `docker save` writes, and what the compute driver loads.
        "container_format": "docker",
        "disk_format": "raw",
        "visibility": "public",
        _DOCKER_ID: image.id,
    }
    identifier = cloud.post("glance", "/images", body)["id"]
    try:
        with image.archive.open("rb") as stream:
            headers = {
                "Content-Type": "application/octet-stream",
                "Content-Length": str(image.archive.stat().st_size),
            }
            cloud.request("PUT", "glance", f"/images/{identifier}/file", stream, headers, timeout=600)
    except BaseException:
        cloud.request("DELETE", "glance", f"/images/{identifier}")
        raise
    for entry in found:  # an older one of the same name: two would make the name ambiguous
        cloud.request("DELETE", "glance", f"/images/{entry['id']}")
    return identifier

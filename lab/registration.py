# SPDX-License-Identifier: Apache-2.0
"""The node image in Glance, and in Sahara's image registry."""

from __future__ import annotations

from lab import node_image, rest, settings

IMAGE_NAME = "cdh-5.13.0"
USER_NAME = "cdh"
TAGS = ("cdh_docker", "5.13.0")
#: Glance property by which the lab knows again what it uploaded.
_DOCKER_ID = "docker_image_id"


def register(lab: settings.Lab, cloud: rest.Cloud, image: node_image.Image) -> str:
    """Upload *image* unless the very same is there, and tell Sahara its user and tags; return the Glance id."""
    identifier = _upload(lab, cloud, image)
    cloud.post("sahara", f"/images/{identifier}", {"username": USER_NAME, "description": "CDH node on Docker"})
    cloud.post("sahara", f"/images/{identifier}/tag", {"tags": list(TAGS)})
    return identifier


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

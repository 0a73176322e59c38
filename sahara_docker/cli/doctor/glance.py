# SPDX-License-Identifier: Apache-2.0
"""Images: in Glance, in Sahara's registry, and on the compute hosts."""

from __future__ import annotations

from typing import Any

from sahara_docker.cli import cluster, registry
from sahara_docker.cli.doctor import check
from sahara_docker.cli.doctor.site import Site


def reference(image: dict[str, Any]) -> str:
    """The name under which the Nova driver keeps a Glance image in a Docker daemon."""
    return f"nova/{image['id']}:{image.get('checksum') or 'latest'}"


@check.declare(
    "glance.formats",
    "whether Glance takes Docker images",
    covers=(17,),
    remedy="add docker to [image_format] container_formats in glance-api.conf and restart glance-api",
)
def formats(site: Site) -> check.Result:
    schema = site.cloud.get("image", "/schemas/image")
    known = schema["properties"]["container_format"]["enum"]
    return check.judge("docker" in known, "container_formats", ", ".join(str(name) for name in known if name))


@check.declare(
    "glance.registered",
    "images that Sahara can use for this plugin: tags, user and format",
    covers=(3, 17),
    remedy="sahara-docker image register IMAGE --version 5.13.0",
)
def registered(site: Site) -> check.Result:
    # Sahara's own list leaves out what has no user name, which is one of the troubles.
    mine = site.cloud.get("image", f"/images?{registry.tag(cluster.PLUGIN)}=True")["images"]
    if not mine:
        return check.Result(check.FAIL, "Sahara's image registry", f"no image has the tag {cluster.PLUGIN}")
    wrong = {}
    for image in mine:
        troubles = []
        if image["container_format"] != "docker":
            troubles.append(f"container_format {image['container_format']}")
        if image["status"] != "active":
            troubles.append(f"status {image['status']}")
        if not image.get(registry.USER):
            troubles.append("no user name, so Sahara does not show it")
        if not any(tag[:1].isdigit() for tag in registry.tags(image)):
            troubles.append("no tag with a version")
        if troubles:
            wrong[image["name"] or image["id"]] = ", ".join(troubles)
    return check.findings(wrong, "Sahara's image registry", ", ".join(one["name"] for one in mine))


@check.declare(
    "glance.on-hosts",
    "whether every compute host in reach has the registered images, and the same ones",
    covers=(17,),
    remedy="nova-compute loads it with the first instance; ahead of that: sahara-docker image register IMAGE "
    "--preload AGGREGATE",
)
def on_hosts(site: Site) -> check.Result:
    wrong: dict[str, str] = {}
    names = []
    for one in site.sahara_images:
        image = site.cloud.get("image", f"/images/{one['id']}")
        if image["container_format"] != "docker":
            continue
        names.append(image["name"] or image["id"])
        ids = {url: found[reference(image)]["Id"] for url, found in site.images.items() if reference(image) in found}
        for url in site.images:
            if url not in ids:
                wrong[f"{names[-1]} on {url}"] = "not there yet"
        if len(set(ids.values())) > 1:
            wrong[names[-1]] = f"differs between hosts: {ids}"
    return check.findings(
        wrong, f"docker images of {len(site.images)} hosts", f"{', '.join(names)} on each", otherwise=check.WARN
    )

# SPDX-License-Identifier: Apache-2.0
"""Users, roles and the service catalogue in Keystone."""

from __future__ import annotations

from concurrent import futures

from lab import object_store, rest, settings

#: Service type and path of the endpoints, by the service's user name.
CATALOGUE = {
    "glance": ("image", ""),
    "placement": ("placement", ""),
    "nova": ("compute", "/v2.1"),
    "neutron": ("network", ""),
    "heat": ("orchestration", "/v1/%(tenant_id)s"),
    "sahara": ("data-processing", ""),
    "swift": ("object-store", "/v1/AUTH_%(tenant_id)s"),
}


def create(lab: settings.Lab, cloud: rest.Cloud) -> None:
    """Make what is missing; harmless on a Keystone that has all of it."""

    def named(kind: str, key: str = "name") -> dict[str, dict]:
        return {entry[key]: entry for entry in cloud.get("keystone", f"/{kind}")[kind]}

    def ensure(kind: str, name: str, **fields: object) -> dict:
        singular = kind.rstrip("s")
        known = named(kind)
        return known.get(name) or cloud.post("keystone", f"/{kind}", {singular: {"name": name, **fields}})[singular]

    roles = named("roles")
    for name in ("service", "heat_stack_owner", "heat_stack_user"):
        if name not in roles:
            roles[name] = cloud.post("keystone", "/roles", {"role": {"name": name}})["role"]
    project = ensure("projects", "service", domain_id="default")
    users, services = named("users"), named("services", "type")
    with_endpoints = {entry["service_id"] for entry in cloud.get("keystone", "/endpoints")["endpoints"]}

    def grant(user: str, project_id: str, role: str) -> None:
        cloud.request("PUT", "keystone", f"/projects/{project_id}/users/{user}/roles/{roles[role]['id']}")

    def add(name: str) -> None:
        kind, path = CATALOGUE[name]
        user = users.get(name)
        if user is None:
            body = {"name": name, "password": lab.secrets[name], "domain_id": "default"}
            user = cloud.post("keystone", "/users", {"user": body})["user"]
        for role in ("admin", "service"):
            grant(user["id"], project["id"], role)
        service = services.get(kind)
        if service is None:
            service = cloud.post("keystone", "/services", {"service": {"name": name, "type": kind}})["service"]
        if service["id"] not in with_endpoints:
            for interface in ("public", "internal", "admin"):
                body = {"service_id": service["id"], "interface": interface, "region_id": settings.REGION}
                cloud.post("keystone", "/endpoints", {"endpoint": {**body, "url": lab.url(name) + path}})

    grant(users["admin"]["id"], cloud.project_id, "heat_stack_owner")
    there = [name for name in CATALOGUE if name != "swift" or object_store.is_chosen(lab)]
    with futures.ThreadPoolExecutor(len(there)) as pool:
        list(pool.map(add, there))

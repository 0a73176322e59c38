# SPDX-License-Identifier: Apache-2.0
"""What a live test of the driver needs around it: Nova's options and objects, a bridge, and images from a Glance.

Docker, the bridge, the containers and Nova's client of Glance are real. Glance is a small server in this process that
streams real ``docker save`` archives.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import os
import subprocess
import uuid
from typing import Any, Iterator

import docker
import fixtures
import nova.conf
from nova import context as nova_context
from nova import exception, objects
from nova.compute import power_state, vm_states
from nova.network import model
from oslo_concurrency import lockutils

import sahara_docker.conf
from sahara_docker.nova import driver, privileged
from tests.functional.nova import glance_server

CONF = nova.conf.CONF
# One Glance image for all tests of a run, so that its archive is loaded once; conftest.py removes it.
NODE_IMAGE_ID = str(uuid.uuid4())


def test_image() -> str:
    """Return the tag of the node image; the caller's test fails when it is not set."""
    try:
        return os.environ["SAHARA_DOCKER_TEST_IMAGE"]
    except KeyError:
        raise AssertionError("SAHARA_DOCKER_TEST_IMAGE is not set: run `make test`, which builds the image") from None


# What the small image is made of, taken from the node image with the libraries that they need.
_PROGRAMS = "sh bash tini ip sleep cat ls ln rm mkdir chmod chown stat tr grep head sed id hostname getent chroot dd"
_FILES = "/etc/passwd /etc/group /etc/shadow /etc/nsswitch.conf /etc/issue"
_COLLECT = f"""
for program in {_PROGRAMS}; do
  path=$(command -v $program); echo $path
  ldd $path | sed -n 's/.*=> \\(.*\\) (.*/\\1/p; s/^[[:space:]]*\\(.lib64.*\\) (.*/\\1/p'
done | sort -u > /tmp/files
for file in $(cat /tmp/files) /bin/sh {_FILES}; do
  echo $file; while [ $file != / ]; do file=${{file%/*}}; file=${{file:-/}}; echo $file; done
done | sort -u | tar --create --dereference --no-recursion --files-from=- 2>/dev/null | base64
"""


@functools.lru_cache(maxsize=None)
def small_archive(*changes: str) -> bytes:
    """Return what ``docker save`` writes of a shell and some programs: for tests that move whole images about.

    :param changes: lines of a Dockerfile.
    """
    with contextlib.closing(docker.from_env()) as client:
        files = client.containers.run(
            test_image(), ["-c", _COLLECT], entrypoint="bash", network_mode="none", remove=True, stderr=False
        )
        own = ['ENTRYPOINT ["tini", "--", "sleep", "infinity"]', "ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
        made = client.api.import_image_from_data(base64.b64decode(files), changes=[*own, *changes])
        image_id = json.loads(made.splitlines()[-1])["status"]
        try:
            return b"".join(client.api.get_image(image_id))
        finally:
            client.images.remove(image_id)


def docker_host() -> str:
    """Address of the daemon that docker-py's ``from_env`` talks to, for ``[docker] host``."""
    return os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"


def remove_image(image_id: str) -> None:
    """Remove what the driver loaded of a Glance image, as far as it is there."""
    with contextlib.closing(docker.from_env()) as client:
        for image in client.images.list(name=f"nova/{image_id}"):
            for tag in image.tags:
                if tag.startswith("nova/"):
                    client.images.remove(tag, noprune=True)


def remove_containers(daemon: docker.DockerClient, host: str) -> None:
    """Remove the containers and volumes of a compute host, as far as they are there."""
    label = {"label": f"nova.host={host}"}
    for container in daemon.containers.list(all=True, filters=label):
        container.remove(force=True, v=True)
    for volume in daemon.volumes.list(filters=label):
        volume.remove(force=True)


class Bridge(fixtures.Fixture):
    """A Linux bridge with the address of a gateway, which is this machine."""

    def __init__(self, name: str, addresses: tuple[str, ...]) -> None:
        self.name, self.addresses = name, addresses

    def _setUp(self) -> None:
        delete = ["ip", "link", "delete", self.name]
        subprocess.run(delete, capture_output=True, check=False)  # of a run that was killed
        subprocess.run(["ip", "link", "add", self.name, "type", "bridge"], check=True)
        self.addCleanup(subprocess.run, delete, check=False)
        for address in self.addresses:
            nodad = ["nodad"] if ":" in address else []
            subprocess.run(["ip", "address", "add", address, "dev", self.name, *nodad], check=True)
        subprocess.run(["ip", "link", "set", self.name, "up"], check=True)


def unmount_below(directory: str) -> None:
    """Unmount what the driver mounted there for Cinder volumes, and its base, which stays as long as the host runs."""
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        points = [line.split()[1] for line in mounts]
    for point in reversed([point for point in points if point.startswith(f"{directory}/")]):
        privileged.unmount(point)


class VirtAPI:
    """Nova's side of the contract; remembers which Neutron events the driver waited for."""

    def __init__(self) -> None:
        self.waited_for: list[tuple[str, str]] = []

    @contextlib.contextmanager
    def wait_for_instance_event(
        self, instance: Any, event_names: Any, deadline: int = 300, error_callback: Any = None
    ) -> Iterator[None]:
        yield
        self.waited_for += event_names


def _no_service(_cls: Any, _context: Any, host: str) -> None:
    raise exception.ComputeHostNotFound(host=host)


class Compute(fixtures.Fixture):
    """A driver on this machine's Docker daemon, as compute host of its own; removes its containers at the end."""

    def __init__(
        self,
        glance: glance_server.GlanceServer | None = None,
        my_ip: str = "127.0.0.1",
        name: str | None = None,
        **options: Any,
    ):
        self._glance, self._my_ip, self._name = glance, my_ip, name
        self._options = {"host": docker_host(), **options}
        self.instances: list[objects.Instance] = []
        self.migrations: list[objects.Migration] = []

    def _setUp(self) -> None:
        self.host = self._name or f"nova-test-{uuid.uuid4().hex[:8]}"
        self.directory = self.useFixture(fixtures.TempDir()).path
        self.addCleanup(unmount_below, self.directory)
        self.glance = self._glance or self.useFixture(glance_server.GlanceServer())
        self.enter()
        self.addCleanup(CONF.reset)
        self.addCleanup(CONF.clear)
        # Instances are in Nova's memory only, so there is no database to save to.
        self.useFixture(fixtures.MonkeyPatch("nova.objects.Instance.save", lambda _self, *_args, **_kwargs: None))
        self.useFixture(
            fixtures.MonkeyPatch(
                "nova.objects.InstanceList.get_by_filters", lambda *a, **k: self._known_instances(*a, **k)
            )
        )
        self.useFixture(
            fixtures.MonkeyPatch(
                "nova.objects.MigrationList.get_by_filters", lambda *a, **k: self._known_migrations(*a, **k)
            )
        )
        self.useFixture(fixtures.MonkeyPatch("nova.objects.Service.get_by_compute_host", _no_service))
        self.virtapi = VirtAPI()
        self.context = nova_context.RequestContext("u", "p", is_admin=True, auth_token="token")
        self.daemon = docker.DockerClient(base_url=CONF.docker.host, version="auto")
        self.addCleanup(self.daemon.close)
        self.addCleanup(self._remove_containers)
        self.driver = driver.DockerDriver(self.virtapi)
        self.driver.init_host(self.host)
        self.addCleanup(lambda: self.driver.cleanup_host(self.host))

    def enter(self) -> None:
        """Make Nova's options, of which a process has one set, those of this host."""
        CONF.clear()
        CONF([], project="nova", default_config_files=[], default_config_dirs=[])
        sahara_docker.conf.register_nova_opts(CONF)
        objects.register_all()
        lockutils.set_defaults(self.directory)
        for name, value in (("instances_path", self.directory), ("state_path", self.directory)):
            CONF.set_override(name, value)
        CONF.set_override("host", self.host)
        CONF.set_override("my_ip", self._my_ip)
        for name, value in self._options.items():
            CONF.set_override(name, value, group="docker")
        CONF.set_override("api_servers", [self.glance.url], group="glance")
        CONF.set_override("num_retries", 0, group="glance")

    def _known_instances(
        self, _cls: Any, _context: Any, filters: dict[str, Any], **_kwargs: Any
    ) -> list[objects.Instance]:
        return [i for i in self.instances if i.uuid in filters["uuid"] and i.deleted == filters["deleted"]]

    def _known_migrations(self, _cls: Any, _context: Any, filters: dict[str, Any]) -> list[objects.Migration]:
        return [
            move
            for move in self.migrations
            if move.instance_uuid == filters["instance_uuid"]
            and filters["host"] in (move.source_compute, move.dest_compute)
        ]

    def _remove_containers(self) -> None:
        remove_containers(self.daemon, self.host)
        for image_id in () if self._glance else self.glance.images:  # a second host's daemon goes as a whole
            if image_id != NODE_IMAGE_ID:
                remove_image(image_id)

    def restart(self) -> None:
        """Do what a nova-compute does that comes up again."""
        self.enter()
        self.driver.cleanup_host(self.host)
        self.driver = driver.DockerDriver(self.virtapi)
        self.driver.init_host(self.host)

    def node_image(self) -> objects.ImageMeta:
        """Add the node image to Glance and return it."""
        tag = test_image()
        return self.glance.add(lambda: self.daemon.api.get_image(tag, chunk_size=1 << 20), NODE_IMAGE_ID)

    def small_image(self, *changes: str) -> objects.ImageMeta:
        """Add an image of a few MiB to Glance, with lines of a Dockerfile, and return it."""
        return self.glance.add(small_archive(*changes))

    def instance(self, image: objects.ImageMeta, hostname: str = "node-1", **extra_specs: str) -> objects.Instance:
        """Return a new instance that exists in Nova's memory only."""
        flavor = objects.Flavor(
            id=1, name="small", flavorid="1", vcpus=2, memory_mb=512, root_gb=10, ephemeral_gb=0, swap=0,
            extra_specs={name.replace("__", ":"): value for name, value in extra_specs.items()},
        )  # fmt: skip
        instance = objects.Instance(
            id=7, uuid=str(uuid.uuid4()), hostname=hostname, display_name=hostname, project_id="p", user_id="u",
            image_ref=image.id, flavor=flavor, system_metadata={}, trusted_certs=None, user_data=None, key_data=None,
            root_device_name=None, config_drive="", launched_at=None, key_name=None,
            task_state=None, vm_state=vm_states.ACTIVE, power_state=power_state.RUNNING, host=self.host, deleted=False,
            info_cache=objects.InstanceInfoCache(network_info=model.NetworkInfo([])),
        )  # fmt: skip
        self.instances.append(instance)
        return instance

    def spawn(
        self, instance: objects.Instance, image: objects.ImageMeta, network: Any = None, **arguments: Any
    ) -> None:
        network = network if network is not None else model.NetworkInfo([])
        self.driver.spawn(self.context, instance, image, [], None, {}, network_info=network, **arguments)

    def container(self, instance: objects.Instance) -> Any:
        """Return docker-py's container of an instance's workload."""
        return self.daemon.containers.get(f"nova-{instance.uuid}")

    def run(self, instance: objects.Instance, command: str) -> str:
        """Run a shell command as root in an instance and return its output.

        :raises AssertionError: it exits non-zero.
        """
        status, output = self.container(instance).exec_run(["sh", "-c", command])
        assert status == 0, f"{command}: exit {status}: {output!r}"
        return output.decode()

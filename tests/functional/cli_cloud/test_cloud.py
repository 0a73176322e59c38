# SPDX-License-Identifier: Apache-2.0
"""Checks of the cloud, against the lab's OpenStack: with objects that are made wrongly, and without."""

from __future__ import annotations

import contextlib
import http.server
import io
import os
import socket
import subprocess
import time
import uuid
from pathlib import Path

import fixtures
import requests

from sahara_docker.cli import cloud, main
from tests import http_server
from tests.functional.cli_cloud import lab_cloud
from tests.unit.cli import doctoring

_PLUGIN = {"plugin_name": "cdh_docker", "hadoop_version": "5.13.0"}
_TRAIT = "CUSTOM_HYPERVISOR_DOCKER"
_PLACEMENT = {"OpenStack-API-Version": "placement 1.18"}
_JSON_PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}


class CloudTest(doctoring.DoctorTest):
    def setUp(self):
        super().setUp()
        self.cloud = lab_cloud.connect()
        self.name = f"doctor-{uuid.uuid4().hex[:6]}"

    def template(self, **more):
        body = {**_PLUGIN, "name": self.name, **more}
        return lab_cloud.posted("data-processing", "/cluster-templates", body)

    def test_the_lab_is_well(self):
        place = lab_cloud.place()
        self.assert_well("glance.formats", place)
        self.assert_well("glance.registered", place)
        self.assert_well("nova.inventory", place)
        self.assert_well("nova.services", place)
        self.assert_well("sahara.api", place)
        self.assert_well("sahara.entry-points", place)
        self.assert_well("sahara.proxy", place)
        self.assert_well("sahara.reserved-space", place)
        self.assert_well("sahara.swift", place)
        self.assert_well("sahara.timeouts", place)

    def test_wrong_password(self):
        def connect():
            return cloud.connect(None, None, {**lab_cloud.environ(), "OS_PASSWORD": "wrong"})

        place = lab_cloud.place(connect=connect)
        self.assert_named("sahara.api", place, "the login to OpenStack failed", "401")
        self.assert_not_here("glance.formats", place, "see the check sahara.api")

    def test_keystone_that_does_not_answer(self):
        def connect():
            return cloud.connect(None, None, {**lab_cloud.environ(), "OS_AUTH_URL": "http://127.0.0.1:9/v3"})

        self.assert_named("sahara.api", lab_cloud.place(connect=connect), "the login to OpenStack failed")

    def test_no_credentials(self):
        place = lab_cloud.place(connect=lambda: cloud.connect(None, None, {}))
        self.assert_not_here("sahara.api", place, "OS_AUTH_URL is not set")

    def image(self, username="", **properties):
        """An image without data in Sahara's registry."""
        body = {"name": self.name, "disk_format": "raw", **properties}
        made = self.cloud.request("POST", "image", "/images", json=body).json()
        self.addCleanup(self.cloud.request, "DELETE", "image", f"/images/{made['id']}")
        self.cloud.request("POST", "data-processing", f"/images/{made['id']}/tag", json={"tags": ["cdh_docker"]})
        if username:
            self.cloud.request("POST", "data-processing", f"/images/{made['id']}", json={"username": username})
        return made

    def test_image_that_is_registered_wrongly(self):
        self.image(container_format="bare")
        words = (self.name, "container_format bare", "status queued", "no user name", "no tag with a version")
        self.assert_named("glance.registered", lab_cloud.place(), *words)

    def test_image_that_is_not_on_the_host(self):
        self.image(username="cdh", container_format="docker")
        self.assert_named("glance.on-hosts", lab_cloud.place(), f"{self.name} on unix://", "not there yet")

    def test_image_that_is_on_the_host(self):
        place = lab_cloud.place()
        # The compute host loads an image some time after it was registered.
        registered = place.sahara_images[0]
        deadline = time.monotonic() + 120
        while self.examine("glance.on-hosts", place).result.status != "ok" and time.monotonic() < deadline:
            host = self.cloud.get("compute", "/os-aggregates")["aggregates"][0]["id"]
            self.cloud.request(
                "POST", "compute", f"/os-aggregates/{host}/images", json={"cache": [{"id": registered["id"]}]},
                headers={"X-OpenStack-Nova-API-Version": "2.81"},
            )  # fmt: skip
            time.sleep(5)
            place = lab_cloud.place()
        self.assert_well("glance.on-hosts", place)

    def test_password_of_images(self):
        root = Path(self.useFixture(fixtures.TempDir()).path)
        (root / "etc/sahara").mkdir(parents=True)
        (root / "etc/sahara/sahara.conf").write_text("[DEFAULT]\nplugins = cdh_docker\n")
        made = self.image(username="cdh", container_format="docker")
        self.assert_named("sahara.password", lab_cloud.place(root=str(root)), self.name, "no password")
        patch = [{"op": "add", "path": "/sahara_docker_password", "value": "secret"}]
        self.cloud.request("PATCH", "image", f"/images/{made['id']}", json=patch, headers=_JSON_PATCH)
        self.assert_well("sahara.password", lab_cloud.place(root=str(root)))

    def test_glance_that_does_not_take_docker_images(self):
        """A second Glance with the lab's database, whose configuration lacks the format."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        text = (lab_cloud.LAB.etc / "glance-api.conf").read_text()
        lines = [line for line in text.splitlines() if not line.startswith(("bind_port", "container_formats"))]
        lines.insert(lines.index("[DEFAULT]") + 1, f"bind_port = {port}")
        configuration = Path(self.useFixture(fixtures.TempDir()).path) / "glance-api.conf"
        configuration.write_text("\n".join([*lines, "[image_format]", "container_formats = bare"]))
        log = self.useFixture(fixtures.TempDir()).join("log")
        with open(log, "w") as stream:
            process = subprocess.Popen(
                [str(lab_cloud.LAB.venv / "bin/glance-api"), "--config-file", str(configuration)],
                stdout=stream, stderr=stream, start_new_session=True,
                env={**os.environ, "XDG_CACHE_HOME": str(lab_cloud.LAB.cache / "test-cache")},
            )  # fmt: skip
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while True:
            try:
                requests.get(url, timeout=5)
                break
            except requests.RequestException:
                self.assertLess(time.monotonic(), deadline, Path(log).read_text()[-1000:])
                time.sleep(0.3)
        place = lab_cloud.place(connect=lambda: _At(url))
        self.assert_named("glance.formats", place, "bare", "[image_format] container_formats")

    def test_compute_host_without_an_inventory(self):
        provider = str(uuid.uuid4())
        body = {"name": self.name, "uuid": provider}
        self.cloud.request("POST", "placement", "/resource_providers", json=body, headers=_PLACEMENT)
        self.addCleanup(self.cloud.request, "DELETE", "placement", f"/resource_providers/{provider}")
        body = {"resource_provider_generation": 0, "traits": [_TRAIT]}
        path = f"/resource_providers/{provider}/traits"
        self.cloud.request("PUT", "placement", path, json=body, headers=_PLACEMENT)
        self.assert_named("nova.inventory", lab_cloud.place(), f"{self.name}: no VCPU, MEMORY_MB, DISK_GB")

    def test_compute_service_that_is_disabled(self):
        versioned = {"X-OpenStack-Nova-API-Version": "2.53"}
        services = self.cloud.get("compute", "/os-services?binary=nova-compute", headers=versioned)["services"]
        path = f"/os-services/{services[0]['id']}"
        self.addCleanup(self.cloud.request, "PUT", "compute", path, json={"status": "enabled"}, headers=versioned)
        self.cloud.request("PUT", "compute", path, json={"status": "disabled"}, headers=versioned)
        self.assert_named("nova.services", lab_cloud.place(), services[0]["host"], "disabled", "--enable")

    def test_cluster_that_failed(self):
        flavor = {"name": self.name, "ram": 2_000_000, "vcpus": 1, "disk": 1}
        with lab_cloud.posted("compute", "/flavors", {"flavor": flavor}) as made:
            failed = self.useFixture(lab_cloud.Cluster(flavor=made["id"], wanted="Error"))
            place = lab_cloud.place(cluster_name=failed.name)
            self.assert_named("sahara.cluster", place, f"cluster {failed.name}", "Error:", "No valid host")
            for name, value in lab_cloud.environ().items():
                self.useFixture(fixtures.EnvironmentVariable(name, value))
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                self.assertEqual(2, main.main(["watch", failed.name]))
            self.assertIn("No valid host", said.getvalue())

    def test_template_with_a_short_timeout(self):
        configs = {"general": {"Timeout for Cloudera Manager starting": 300}}
        with self.template(cluster_configs=configs):
            self.assert_named("sahara.timeouts", lab_cloud.place(), self.name, "Cloudera Manager starting = 300")

    def test_template_that_reserves_all_space(self):
        flavor = next(f for f in self.cloud.get("compute", "/flavors")["flavors"] if f["name"] == "cdh.worker")
        body = {
            **_PLUGIN, "name": self.name, "flavor_id": flavor["id"], "node_processes": ["HDFS_DATANODE"],
            "node_configs": {"DATANODE": {"dfs_datanode_du_reserved": "10737418240"}},
        }  # fmt: skip
        with lab_cloud.posted("data-processing", "/node-group-templates", body):
            self.assert_named(
                "sahara.reserved-space", lab_cloud.place(), self.name, "10.0 GiB reserved on volumes of 10"
            )

    def test_swift_library(self):
        directory = self.useFixture(fixtures.TempDir()).path

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments):
                super().__init__(*arguments, directory=directory)

        address = f"{self.useFixture(http_server.HttpServer(Handler)).url}/hadoop-swift.jar"
        configs = {"general": {"Enable Swift": True, "Hadoop OpenStack library URL": address}}
        with self.template(cluster_configs=configs):
            self.assert_named("sahara.swift", lab_cloud.place(), self.name, "HTTP 404", address)
            Path(directory, "hadoop-swift.jar").touch()
            self.assert_well("sahara.swift", lab_cloud.place())

    def test_proxy_between_nodes_and_the_cloud(self):
        root = Path(self.useFixture(fixtures.TempDir()).path)
        (root / "etc/sahara").mkdir(parents=True)
        text = "[sahara_docker]\nhttp_proxy = http://proxy.example.org:3128\nno_proxy = "
        (root / "etc/sahara/sahara.conf").write_text(f"{text}example.org\n")
        self.assert_named("sahara.proxy", lab_cloud.place(root=str(root)), "127.0.0.1", "no_proxy")
        (root / "etc/sahara/sahara.conf").write_text(f"{text}example.org,127.0.0.1\n")
        self.assert_well("sahara.proxy", lab_cloud.place(root=str(root)))

    def test_package_that_is_not_installed_beside_sahara(self):
        """An environment with Sahara's metadata and without this package's."""
        import importlib.metadata

        metadata = importlib.metadata.distribution("sahara")._path
        bare = Path(self.useFixture(fixtures.TempDir()).path)
        (bare / metadata.name).symlink_to(metadata)
        place = lab_cloud.place()
        self.useFixture(fixtures.MonkeyPatch("sys.path", [str(bare)]))
        self.assert_named("sahara.entry-points", place, "sahara.remote: 0 entries called docker", "pip install")


class _At(cloud.Cloud):
    """The lab's cloud, but for Glance, which is at another address."""

    def __init__(self, url):
        super().__init__(lab_cloud.connect().session)
        self._url = url

    def _adapter(self, service):
        found = super()._adapter(service)
        if service == "image":
            found.endpoint_override = f"{self._url}/v2"
        return found

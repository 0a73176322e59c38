# SPDX-License-Identifier: Apache-2.0
"""A real Kerberos realm of MIT's on real nodes."""

from __future__ import annotations

import io
import pathlib
import subprocess
import tarfile
import tempfile

import testtools
from sahara import conductor, context
from sahara.plugins import kerberos
from sahara.plugins import utils as plugin_utils

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import passwords, realm, security, versions
from tests.functional.cdh_docker import node, sahara_parts

# The nodes have no way to a package repository, so this machine fetches for them.
PACKAGES = [
    "krb5-kdc", "krb5-admin-server", "krb5-user", "krb5-config", "libgssrpc4", "libkdb5-10", "libkadm5srv-mit12",
    "libkadm5clnt-mit12", "libev4", "libverto-libev1", "libverto1",
]  # fmt: skip
REALM = "EXAMPLE.ORG"


def _archive(directory: pathlib.Path) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.add(directory, "packages")
    return content.getvalue()


class KerberosTest(testtools.TestCase):
    """One realm for all tests."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with tempfile.TemporaryDirectory() as directory:
            download = ["apt-get", "download", "-q", *PACKAGES]
            if subprocess.run(download, cwd=directory, check=False, timeout=300).returncode:
                # The machine's lists are missing, or older than what the mirror has.
                subprocess.run(["apt-get", "update", "-q"], check=True, timeout=300)
                subprocess.run(download, cwd=directory, check=True, timeout=300)
            packages = _archive(pathlib.Path(directory))
        network = node.Network()
        cls.server, cls.client = (node.Node(network, f"c1-{name}-0.novalocal") for name in ("all", "more"))
        for fixture in (network, cls.server, cls.client):
            fixture.setUp()
            cls.addClassCleanup(fixture.cleanUp)
        for each in (cls.server, cls.client):
            each.know(cls.server, cls.client)
            each.container.put_archive("/root", packages)
            wanted = "*" if each is cls.server else "{krb5-user,krb5-config,lib*}*"
            each.run(
                "cd /root/packages && DEBIAN_FRONTEND=noninteractive bash -c "
                f"'dpkg --force-depends -i {wanted}.deb' >/tmp/dpkg.log 2>&1 || {{ cat /tmp/dpkg.log; exit 1; }}"
            )

    def setUp(self):
        super().setUp()
        self.sahara = self.useFixture(sahara_parts.SaharaParts(node.required("SAHARA_DOCKER_TEST_PASSWORD")))
        self.sahara.options.config(node_domain="novalocal")

    def make(self, **settings):
        groups = [
            {"name": "all", "node_processes": ["CLOUDERA_MANAGER", "HDFS_NAMENODE"], "node_configs": {}},
            {"name": "more", "node_processes": ["HDFS_DATANODE"], "node_configs": {}},
        ]
        configs = {kerberos.enable_kerberos.name: True, kerberos.realm_name.name: REALM, **settings}
        for older in conductor.API.cluster_get_all(self.sahara.ctx):
            conductor.API.cluster_destroy(self.sahara.ctx, older)
        cluster = self.sahara.cluster("c1", groups, cluster_configs={"Kerberos": configs})
        self.sahara.add_instance(cluster, "all", self.server.address)
        self.sahara.add_instance(cluster, "more", self.client.address)
        self.cluster = conductor.API.cluster_get(self.sahara.ctx, cluster.id)
        context.current().current_instance_info = context.InstanceInfo(cluster.id, step_type="test")
        passwords.prepare(self.cluster)
        self.cluster = conductor.API.cluster_get(self.sahara.ctx, cluster.id)
        self.instances = plugin_utils.get_instances(self.cluster)
        self.cloudera = versions.VersionFactory().get_version_handler("5.13.0").cloudera_utils

    def set_up(self):
        """Do what a kerberized cluster's creation does on its nodes."""
        security._start_server(self.cloudera.pu.get_manager(self.cluster))
        security._set_up_clients(self.cluster, self.cloudera, self.instances)
        security._create_keytabs(self.cloudera.pu.get_hdfs_nodes(self.cluster), "hdfs")

    def check_tickets(self, *nodes):
        for each in nodes:
            principal = f"hdfs/sahara-{each.fqdn}@{REALM}"
            tickets = each.run("su -s /bin/sh -c klist hdfs")
            self.assertIn(f"Default principal: {principal}", tickets)
            self.assertIn(f"krbtgt/{REALM}@{REALM}", tickets)
            keytab = f"{realm.KEYTABS}/hdfs-sahara-{each.fqdn}.keytab"
            self.assertEqual("600 hdfs", each.run(f"stat -c '%a %U' {keytab}").strip())
            each.run("su -s /bin/sh -c kdestroy hdfs; /usr/local/sbin/sahara-kerberos-hdfs")
            self.assertIn(principal, each.run("su -s /bin/sh -c klist hdfs"))

    def test_a_realm_on_the_cluster_s_own_nodes(self):
        self.make()
        for _ in range(2):
            self.set_up()
        self.check_tickets(self.server, self.client)
        password = kerberos.get_server_password(self.cluster)
        for each in (self.server, self.client):
            self.assertEqual("", each.run(f"grep -rlsF {password} /etc /run /tmp /var/log /home /root; true"))

    def test_an_existing_realm(self):
        self.make()
        self.set_up()
        password = kerberos.get_server_password(self.cluster)
        self.make(
            **{
                kerberos.use_existing_kdc.name: True,
                kerberos.kdc_server_ip.name: self.server.address,
                kerberos.admin_password.name: password,
            }
        )
        self.client.run("rm -rf /etc/krb5.conf /tmp/sahara-kerberos; su -s /bin/sh -c kdestroy hdfs")
        security._set_up_clients(self.cluster, self.cloudera, self.instances)
        security._create_keytabs(self.cloudera.pu.get_hdfs_nodes(self.cluster), "hdfs")
        self.check_tickets(self.server, self.client)

    def test_a_refusal_is_told_without_the_password(self):
        self.make()
        self.set_up()
        error = self.assertRaises(
            exceptions.SaharaDockerError, realm.create_keytab, self.instances[1], "hdfs", REALM, "sahara/admin", "wr0ng"
        )
        self.assertIn("Preauthentication failed", str(error))
        self.assertNotIn("wr0ng", str(error))

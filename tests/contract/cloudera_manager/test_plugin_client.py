# SPDX-License-Identifier: Apache-2.0
"""Every request that Sahara's plugin makes, by the plugin's own strict client, against the stand-in's server.

The hosts are real agents on a machine without Hadoop's users: whatever needs no daemon must work, and a start must fail
with its cause. With daemons: ``tests/functional/cloudera_manager``.
"""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.request
from typing import Any

import testtools
from sahara_plugin_cdh.plugins.cdh import exceptions as plugin_exceptions
from sahara_plugin_cdh.plugins.cdh.client import services, types

from tests.contract.cloudera_manager import strict_models
from tests.contract.cloudera_manager.server import MANAGER, MASTER, WORKER, Server


class ContractTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.server = self.useFixture(Server())
        for name in (MANAGER, MASTER, WORKER):
            self.server.add_host(name)
        self.api = self.server.client()

    def request(self, path: str, method: str = "GET", body: Any = None, credentials: str = "admin:admin"):
        """Return status and JSON of a plain request."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.server.port}{path}", method=method)
        if credentials:
            request.add_header("Authorization", f"Basic {base64.b64encode(credentials.encode()).decode()}")
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, data, timeout=30) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def finish(self, command):
        """Wait for a command as the client does, but at short intervals."""
        deadline = time.monotonic() + 60
        while command.active:
            self.assertTrue(time.monotonic() < deadline, f"command {command.name} does not end")
            time.sleep(0.05)
            command = command.fetch()
        return command

    def cluster(self):
        """Make the services and roles of Sahara's smallest cluster."""
        cluster = self.api.create_cluster("c1", fullVersion="5.13.0")
        for name, kind in (("hdfs01", "HDFS"), ("yarn01", "YARN"), ("oozie01", "OOZIE")):
            cluster.create_service(name, kind)
        cluster = self.api.get_cluster("c1")
        for name, role_type, host in (
            ("hdfs01", "NAMENODE", MASTER), ("hdfs01", "SECONDARYNAMENODE", MASTER), ("hdfs01", "DATANODE", WORKER),
            ("hdfs01", "GATEWAY", WORKER), ("yarn01", "RESOURCEMANAGER", MASTER), ("yarn01", "JOBHISTORY", MASTER),
            ("yarn01", "NODEMANAGER", WORKER), ("yarn01", "GATEWAY", WORKER), ("oozie01", "OOZIE_SERVER", MASTER),
        ):  # fmt: skip
            cluster.get_service(name).create_role(f"{role_type}_{name}", role_type, host)
        return cluster


class PluginClientTest(ContractTestCase):
    def test_the_password_is_changed_and_the_old_one_ends(self):
        user = self.api.get_user("admin")
        self.assertEqual(("admin", ["ROLE_ADMIN"], None), (user.name, user.roles, user.password))
        user.password = "secret-1"
        self.api.update_user(user)
        self.assertRaises(plugin_exceptions.CMApiException, self.server.client().get_all_hosts)
        self.assertEqual(3, len(self.server.client(password="secret-1").get_all_hosts()))

    def test_hosts(self):
        hosts = {host.hostname: host for host in self.api.get_all_hosts(view="full")}
        self.assertEqual({MANAGER, MASTER, WORKER}, set(hosts))
        host = hosts[WORKER]
        self.assertEqual((WORKER, "127.0.0.1", "GOOD"), (host.hostId, host.ipAddress, host.healthSummary))
        self.assertTrue(host.numCores >= 1 and host.totalPhysMemBytes > 2**28, vars(host))
        host.rackId = "/rack-7"
        self.assertEqual("/rack-7", host.put_host().rackId)
        self.assertEqual({"/default", "/rack-7"}, {host.rackId for host in self.api.get_all_hosts()})

    def test_management_service(self):
        manager = self.api.get_cloudera_manager()
        info = services.ApiServiceSetupInfo()
        for kind in ("SERVICEMONITOR", "HOSTMONITOR", "EVENTSERVER", "ALERTPUBLISHER"):
            info.add_role_info(f"{kind}_manager_0", kind, MANAGER)
        self.assertEqual("MGMT", manager.create_mgmt_service(info).type)
        command = self.finish(manager.hosts_start_roles([MANAGER]))
        self.assertTrue(command.success)
        service = manager.get_service()
        self.assertEqual(("STARTED", "GOOD"), (service.serviceState, service.healthSummary))
        self.assertTrue(self.finish(service.restart()).success)
        self.assertTrue(self.finish(service.stop()).success)
        self.assertEqual("STOPPED", manager.get_service().serviceState)
        self.assertTrue(self.finish(service.start()).success)

    def test_configuration_is_kept_as_it_was_sent(self):
        cluster = self.cluster()
        hdfs = cluster.get_service("hdfs01")
        config, _ = hdfs.update_config({"dfs_replication": 2, "zookeeper_service": "", "unheard_of": "ä <&>"})
        self.assertEqual({"dfs_replication": "2", "zookeeper_service": "", "unheard_of": "ä <&>"}, config)
        self.assertEqual(config, hdfs.get_config()[0])
        (role,) = hdfs.get_roles_by_type("DATANODE")
        role.update_config({"dfs_data_dir_list": "/v1/fs/dn", "dfs_datanode_data_dir_perm": 755})
        self.assertEqual({"dfs_data_dir_list": "/v1/fs/dn", "dfs_datanode_data_dir_perm": "755"}, role.get_config())
        full = hdfs.get_config(view="full")[0]
        self.assertEqual("dfs.replication", full["dfs_replication"].relatedName)
        self.assertEqual("WARNING", full["unheard_of"].validationState)

    def test_services_roles_and_groups(self):
        cluster = self.cluster()
        self.assertEqual(("5.13.0", "CDH5"), (cluster.fullVersion, cluster.version))
        hdfs = cluster.get_service("hdfs01")
        self.assertEqual(("STOPPED", "c1"), (hdfs.serviceState, hdfs.clusterRef.clusterName))
        (gateway,) = hdfs.get_roles_by_type("GATEWAY")
        self.assertEqual(("NA", WORKER), (gateway.roleState, gateway.hostRef.hostId))
        groups = {group.roleType: group for group in hdfs.get_all_role_config_groups()}
        groups["DATANODE"].update_config({"dfs_datanode_du_reserved": "1"})
        self.assertEqual({"dfs_datanode_du_reserved": "1"}, groups["DATANODE"].get_config())
        (role,) = hdfs.get_roles_by_type("DATANODE")
        self.assertEqual(groups["DATANODE"].name, role.roleConfigGroupRef.roleConfigGroupName)
        self.assertEqual([], list(cluster.get_commands()))
        self.assertIn("HDFS", cluster.get_service_types())

    def test_health(self):
        self.cluster()
        health = self.api.get_service_health_status("c1")
        self.assertEqual({"hdfs01", "yarn01", "oozie01"}, set(health))
        self.assertEqual("DISABLED", health["hdfs01"]["summary"])
        self.assertTrue(all({"name", "summary"} == set(check) for check in health["hdfs01"]["checks"]))

    def test_a_start_that_cannot_succeed_fails_with_its_cause(self):
        command = self.finish(self.cluster().first_run())
        self.assertFalse(command.success)
        self.assertIn("there is no user 'hdfs'", command.resultMessage)
        failed = [child for child in command.children if not child.success]
        self.assertTrue(failed and all(child.resultMessage for child in failed))
        self.assertEqual("STOPPED", self.api.get_cluster("c1").get_service("hdfs01").serviceState)

    def test_role_commands(self):
        hdfs = self.cluster().get_service("hdfs01")
        (command,) = hdfs.start_roles("DATANODE_hdfs01")
        self.assertFalse(self.finish(command).success)
        answer = hdfs.refresh("DATANODE_hdfs01", "not_there")
        self.assertEqual((1, ["Role 'not_there' not found in service 'hdfs01'."]), (len(answer), answer.errors))
        self.assertIn("is not running", self.finish(answer[0]).resultMessage)

    def test_restart_of_what_is_stale_is_nothing_when_nothing_runs(self):
        command = self.cluster().restart(restart_only_stale_services=True, redeploy_client_configuration=False)
        self.assertTrue(self.finish(command).success)

    def test_what_the_lab_cannot_do_is_refused_in_words(self):
        cluster = self.cluster()
        solr = cluster.create_service("solr01", "SOLR")
        solr.create_role("SLR", "SOLR_SERVER", MASTER)
        (alone,) = solr.start_roles("SLR")
        oozie = cluster.get_service("oozie01")
        for command in (
            alone,
            self.api.get_cloudera_manager().import_admin_credentials("a@R", "p"), oozie.create_oozie_db(),
        ):  # fmt: skip
            command = self.finish(command)
            self.assertFalse(command.success)
            self.assertIn("not available in the lab", command.resultMessage)

    def test_what_the_lab_does_not_have_stops_nothing_else_and_says_so(self):
        solr = self.cluster().create_service("solr01", "SOLR")
        solr.create_role("SLR", "SOLR_SERVER", MASTER)
        command = self.finish(solr.start())
        self.assertTrue(command.success)
        self.assertIn("Not started: SLR on", command.resultMessage)
        found = self.api.get_service_health_status("c1")["solr01"]
        self.assertEqual("BAD", found["summary"])
        # What Sahara shows of it.
        self.assertEqual(["SOLR_SERVER_NOT_AVAILABLE_IN_THE_LAB"], [check["name"] for check in found["checks"]])

    def test_high_availability_makes_the_roles_that_it_needs(self):
        cluster = self.cluster()
        cluster.create_service("zookeeper01", "ZOOKEEPER").create_role("ZK", "SERVER", MASTER)
        hdfs, yarn = cluster.get_service("hdfs01"), cluster.get_service("yarn01")
        journals = [
            {"jnHostId": host, "jnName": f"JN{number}", "jnEditsDir": "/dfs/jn"}
            for number, host in enumerate((MANAGER, MASTER, WORKER))
        ]
        hdfs.get_roles_by_type("NAMENODE")[0].update_config({"dfs_name_dir_list": "/mnt/fs/nn"})
        self.finish(hdfs.enable_nn_ha("NAMENODE_hdfs01", WORKER, "nameservice01", journals))
        self.finish(yarn.enable_rm_ha(WORKER))
        for service, role_type, hosts in (
            (hdfs, "NAMENODE", [MASTER, WORKER]), (hdfs, "FAILOVERCONTROLLER", [MASTER, WORKER]),
            (hdfs, "JOURNALNODE", [MANAGER, MASTER, WORKER]), (yarn, "RESOURCEMANAGER", [MASTER, WORKER]),
        ):  # fmt: skip
            self.assertEqual(
                sorted(hosts), sorted(role.hostRef.hostId for role in service.get_roles_by_type(role_type))
            )
        (standby,) = [role for role in hdfs.get_roles_by_type("NAMENODE") if role.hostRef.hostId == WORKER]
        config = standby.get_config()
        config = config if isinstance(config, dict) else config[0]
        self.assertEqual(("/mnt/fs/nn", "nameservice01"),
                         (config["dfs_name_dir_list"], config["dfs_federation_namenode_nameservice"]))  # fmt: skip

    def test_high_availability_that_cannot_be_changes_nothing(self):
        cluster = self.cluster()
        hdfs, yarn = cluster.get_service("hdfs01"), cluster.get_service("yarn01")
        journals = [{"jnHostId": host} for host in (MANAGER, MASTER, WORKER)]
        calls = [
            (hdfs.enable_nn_ha, "NAMENODE_hdfs01", WORKER, "ns", journals),  # there is no ZooKeeper
            (yarn.enable_rm_ha, WORKER),
        ]
        for call, *arguments in calls:
            self.assertRaises(plugin_exceptions.CMApiException, call, *arguments)
        cluster.create_service("zookeeper01", "ZOOKEEPER").create_role("ZK", "SERVER", MASTER)

        def roles():
            kinds = ("NAMENODE", "FAILOVERCONTROLLER", "JOURNALNODE", "RESOURCEMANAGER")
            return [role.name for kind in kinds for service in (hdfs, yarn) for role in service.get_roles_by_type(kind)]

        for call, *arguments in (
            (hdfs.enable_nn_ha, "NAMENODE_hdfs01", MASTER, "ns", journals),
            (hdfs.enable_nn_ha, "NAMENODE_hdfs01", WORKER, "ns", journals[:2]),
            (hdfs.enable_nn_ha, "NAMENODE_hdfs01", WORKER, "ns", [*journals[:2], {"jnHostId": "nowhere"}]),
            (hdfs.enable_nn_ha, "DATANODE_hdfs01", WORKER, "ns", journals),
            (yarn.enable_rm_ha, MASTER),
            (yarn.enable_rm_ha, "nowhere"),
        ):
            self.assertRaises(plugin_exceptions.CMApiException, call, *arguments)
        self.assertEqual(["NAMENODE_hdfs01", "RESOURCEMANAGER_yarn01"], roles())

    def test_a_host_leaves(self):
        cluster = self.cluster()
        for name in ("hdfs01", "yarn01"):
            service = cluster.get_service(name)
            for role in service.get_roles_by_type({"hdfs01": "DATANODE", "yarn01": "NODEMANAGER"}[name]):
                self.assertEqual(role.name, service.delete_role(role.name).name)
            for role in service.get_roles_by_type("GATEWAY"):
                service.delete_role(role.name)
        self.assertEqual(WORKER, cluster.remove_host(WORKER).hostId)
        self.assertEqual(WORKER, self.api.delete_host(WORKER).hostId)
        # Its agent still runs and sends heartbeats; the host must not come back by that.
        self.assertRaises(plugin_exceptions.CMApiException, self.api.delete_host, WORKER)
        self.assertNotIn(WORKER, [host.hostname for host in self.api.get_all_hosts()])
        self.server.add_host(WORKER)

    def test_decommission_of_what_does_not_run(self):
        hdfs = self.cluster().get_service("hdfs01")
        command = self.finish(hdfs.decommission("DATANODE_hdfs01"))
        self.assertTrue(command.success, command.resultMessage)
        (role,) = hdfs.get_roles_by_type("DATANODE")
        self.assertEqual("DECOMMISSIONED", role.commissionState)

    def test_the_state_survives_a_restart_of_the_server(self):
        self.cluster().get_service("hdfs01").update_config({"dfs_replication": 2})
        self.server.stop()
        self.server.start()
        api = self.server.client()
        self.assertEqual("2", api.get_cluster("c1").get_service("hdfs01").get_config()[0]["dfs_replication"])
        self.assertEqual(3, len(api.get_all_hosts()))

    def test_abort(self):
        cluster = self.cluster()
        command = self.finish(cluster.first_run())
        self.assertEqual(command.id, command.abort().id)

    def test_synchronous_is_no_command_of_ours(self):
        command = self.cluster().stop()
        self.assertNotEqual(types.ApiCommand.SYNCHRONOUS_COMMAND_ID, command.id)
        self.assertTrue(self.finish(command).success)


class ProtocolTest(ContractTestCase):
    def test_the_challenge_has_the_realm_that_the_client_answers(self):
        request = urllib.request.Request(f"http://127.0.0.1:{self.server.port}/api/v8/hosts")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        error = self.assertRaises(urllib.error.HTTPError, opener.open, request, timeout=30)
        self.assertEqual(401, error.code)
        self.assertEqual('Basic realm="Cloudera Manager"', error.headers["WWW-Authenticate"])

    def test_a_session_cookie_spares_the_challenge(self):
        self.request("/api/v8/hosts")
        request = urllib.request.Request(f"http://127.0.0.1:{self.server.port}/api/v8/hosts")
        request.add_header("Authorization", "Basic YWRtaW46YWRtaW4=")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            cookie = answer.headers["Set-Cookie"].partition(";")[0]
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.server.port}/api/v8/hosts", headers={"Cookie": cookie}
        )
        with opener.open(request, timeout=30) as answer:
            self.assertEqual(200, answer.status)

    def test_errors_have_a_code_and_a_message(self):
        self.cluster()
        role = {"items": [{"name": "x", "type": "DATANODE", "hostRef": {"hostId": "nowhere"}}]}
        cases: tuple[tuple[str, str, Any, int, str], ...] = (
            ("GET", "/api/v8/clusters/none", None, 404, "'none' not found"),
            ("GET", "/api/v8/clusters/c1/services/none", None, 404, "'none' not found"),
            ("GET", "/api/v8/commands/999999", None, 404, "not found"),
            ("GET", "/api/v8/nonsense", None, 404, "no endpoint GET /api/v8/nonsense"),
            ("GET", "/api/v99/hosts", None, 404, "v1 to v18"),
            ("GET", "/elsewhere", None, 404, "/elsewhere"),
            ("DELETE", "/api/v8/clusters", None, 405, "does not know DELETE"),
            ("POST", "/api/v6/clusters/c1/commands/firstRun", {}, 404, "since API v7"),
            ("POST", "/api/v8/clusters/c1/commands/dance", {}, 404, "no cluster command 'dance'"),
            ("POST", "/api/v8/clusters", b"{", 400, "not JSON"),
            ("POST", "/api/v8/clusters", [], 400, "items"),
            ("POST", "/api/v8/clusters", {"items": [{"name": "c1", "fullVersion": "5.13.0"}]}, 400, "already exists"),
            ("POST", "/api/v8/clusters/c1/services", {"items": [{"name": "x", "type": "X"}]}, 400, "Unknown service"),
            ("POST", "/api/v8/clusters/c1/services/hdfs01/roles", role, 400, "'nowhere' not found"),
            ("DELETE", f"/api/v8/hosts/{WORKER}", None, 400, "still has roles"),
            ("GET", "/api/v8/tools/echoError?message=oops", None, 500, "oops"),
        )
        for method, path, body, code, words in cases:
            status, answer = self.request(path, method, body)
            self.assertEqual(code, status, f"{method} {path}: {answer}")
            self.assertEqual(["message"], list(answer))
            self.assertIn(words, answer["message"])

    def test_a_bulk_creation_is_all_or_nothing(self):
        self.cluster()
        good = {"name": "DN2", "type": "DATANODE", "hostRef": {"hostId": MASTER}}
        bad = {"name": "DN3", "type": "DATANODE", "hostRef": {"hostId": "nowhere"}}
        status, _ = self.request("/api/v8/clusters/c1/services/hdfs01/roles", "POST", {"items": [good, bad]})
        self.assertEqual(400, status)
        self.assertEqual(404, self.request("/api/v8/clusters/c1/services/hdfs01/roles/DN2")[0])
        status, answer = self.request("/api/v8/clusters/c1/services/hdfs01/roles", "POST", {"items": [good]})
        self.assertEqual((200, ["DN2"]), (status, [role["name"] for role in answer["items"]]))

    def test_the_page_says_first_what_it_is(self):
        self.cluster()
        request = urllib.request.Request(f"http://127.0.0.1:{self.server.port}/")
        request.add_header("Authorization", "Basic YWRtaW46YWRtaW4=")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            text = answer.read().decode()
            self.assertIn("stand-in", answer.headers["Server"])
        body = text[text.index("<body>") + len("<body>") :]
        self.assertTrue(body.lstrip().startswith('<p class="notice">sahara-docker lab stand-in'), body[:200])
        for words in (WORKER, "NAMENODE_hdfs01", "STOPPED"):
            self.assertIn(words, text)

    def test_echo_and_versions(self):
        self.assertEqual((200, {"message": "Hello, World!"}), self.request("/api/v8/tools/echo"))
        self.assertEqual((200, {"message": "x y"}), self.request("/api/v8/tools/echo?message=x%20y"))
        self.assertEqual("5.13.0", self.request("/api/v8/cm/version")[1]["version"])


class ModelsTest(ContractTestCase):
    """Answers of several API versions against the vendor's models, read strictly."""

    VERSIONS = (6, 7, 8, 11, 18)

    def test_every_answer(self):
        cluster = self.cluster()
        self.finish(cluster.first_run())
        number = max(self.server.parts.store.model.commands)
        hdfs = "/clusters/c1/services/hdfs01"
        cluster.get_service("hdfs01").update_config({"dfs_replication": 2, "unheard_of": 1})
        for version in self.VERSIONS:
            for path, kind in (
                ("/hosts?view=full", "ApiHostList"), ("/hosts", "ApiHostList"), (f"/hosts/{WORKER}", "ApiHost"),
                ("/clusters", "ApiClusterList"), ("/clusters/c1", "ApiCluster"),
                ("/clusters/c1/hosts", "ApiHostRefList"),
                ("/clusters/c1/services", "ApiServiceList"), (hdfs, "ApiService"), (f"{hdfs}/roles", "ApiRoleList"),
                (f"{hdfs}/roles/DATANODE_hdfs01", "ApiRole"), (f"{hdfs}/config", "ApiServiceConfig"),
                (f"{hdfs}/config?view=full", "ApiServiceConfig"),
                (f"{hdfs}/roleConfigGroups", "ApiRoleConfigGroupList"),
                (f"{hdfs}/roles/DATANODE_hdfs01/config", "ApiConfigList"), (f"{hdfs}/roleTypes", "ApiRoleTypeList"),
                (f"{hdfs}/commands", "ApiCommandList"), ("/clusters/c1/serviceTypes", "ApiServiceTypeList"),
                (f"/commands/{number}", "ApiCommand"), (f"/commands/{number - 1}", "ApiCommand"),
                ("/cm/version", "ApiVersionInfo"), ("/cm/commands", "ApiCommandList"), ("/tools/echo", "ApiEcho"),
                ("/cm/config", "ApiConfigList"),
            ):  # fmt: skip
                status, answer = self.request(f"/api/v{version}{path}")
                self.assertEqual(200, status, f"v{version} {path}: {answer}")
                strict_models.check(answer, kind, version, f"v{version} {path}")

    def test_the_reading_is_strict(self):
        for value, kind, version in (
            ({"nonsense": 1}, "ApiHost", 18),
            ({"clusterUrl": "x"}, "ApiCluster", 9),
            ({"roleState": "DANCING"}, "ApiRole", 18),
            ({"numCores": "2"}, "ApiHost", 18),
        ):
            self.assertRaises(AssertionError, strict_models.check, value, kind, version)

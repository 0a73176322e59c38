# SPDX-License-Identifier: Apache-2.0
"""The proxy in Java's words, and in Cloudera Manager's settings."""

from __future__ import annotations

import testtools

from sahara_docker.plugins.cdh_docker import proxy, proxy_in_jobs


def settings(http="http://proxy:3128", https="http://secure:8443", direct=("localhost",)):
    return proxy.ProxySettings(http, https, tuple(direct))


class Manager:
    """Cloudera Manager's settings of one service and its gateways, as a client shows them."""

    def __init__(self, **config):
        self.config = config
        self.changes = 0

    def service_config(self, cluster, service):
        return dict(self.config)

    group_config = role_group = lambda self, cluster, service, group: dict(self.config)

    def configure_service(self, cluster, service, config):
        self.changes += 1
        self.config.update(config)

    def configure_group(self, cluster, service, group, config):
        self.configure_service(cluster, service, config)


class JavaOptionsTest(testtools.TestCase):
    def test_hosts_and_ports(self):
        options = proxy_in_jobs.java_options(settings()).split()
        self.assertEqual(
            ["-Dhttp.proxyHost=proxy", "-Dhttp.proxyPort=3128", "-Dhttps.proxyHost=secure", "-Dhttps.proxyPort=8443"],
            options[:4],
        )

    def test_no_password(self):
        text = proxy_in_jobs.java_options(settings("http://user:s3cret@proxy:3128"))
        self.assertIn("-Dhttp.proxyHost=proxy", text)
        self.assertNotIn("s3cret", text)
        self.assertNotIn("user", text)

    def test_a_proxy_that_wants_tls_is_nothing_for_java(self):
        self.assertEqual("", proxy_in_jobs.java_options(settings("https://proxy:3128", "https://proxy:3128")))

    def test_hosts_that_are_reached_directly(self):
        cases = {
            "10.0.0.7": ["10.0.0.7"],
            "worker-0": ["worker-0"],
            "keystone.example.org": ["keystone.example.org", "*.keystone.example.org"],
            ".corp": ["*.corp"],
            "*.corp": ["*.corp"],
            "10.0.0.0/8": ["10.*"],
            "192.168.4.0/22": ["192.168.4.*", "192.168.5.*", "192.168.6.*", "192.168.7.*"],
            "10.1.2.4/31": ["10.1.2.4", "10.1.2.5"],
            "2001:db8::/32": [],
        }
        for entry, patterns in cases.items():
            text = proxy_in_jobs.java_options(settings(direct=(entry,)))
            self.assertEqual(f"-Dhttp.nonProxyHosts='{'|'.join(patterns)}'", text.split()[-1], entry)

    def test_nodes_are_known_by_their_domain_so_that_scaling_changes_nothing(self):
        nodes = [("10.0.0.1", "a-0.novalocal", "a-0"), ("10.0.0.2", "b-0.novalocal", "b-0")]
        texts = {
            proxy_in_jobs.java_options(proxy.ProxySettings("http://proxy:1", "", ("localhost",), there))
            for there in (nodes[0], nodes[0] + nodes[1])
        }
        (text,) = texts
        self.assertTrue(text.endswith("-Dhttp.nonProxyHosts='localhost|*.novalocal'"), text)


class BringTest(testtools.TestCase):
    def bring(self, manager, wanted):
        proxy_in_jobs.bring(manager, "c1", "yarn01", "spark_on_yarn01", wanted)

    def test_comes_goes_and_changes_without_a_trace(self):
        own = {
            proxy_in_jobs.MAPREDUCE_SETTING: "<property><name>a</name><value>1</value></property>",
            proxy_in_jobs.SPARK_SETTING: "spark.eventLog.enabled=true\nspark.ui.port=1",
        }
        manager = Manager(**own)
        for wanted in (settings(), settings(http="http://other:1")):
            self.bring(manager, wanted)
            mapreduce, spark = (manager.config[name] for name in own)
            self.assertEqual(3, mapreduce.count(proxy_in_jobs.java_options(wanted)))
            self.assertIn(f"spark.driver.extraJavaOptions={proxy_in_jobs.java_options(wanted)}", spark)
            for name, text in own.items():
                self.assertIn(text, manager.config[name])
        self.assertNotIn("-Dhttp.proxyHost=proxy", mapreduce + spark)
        self.bring(manager, None)
        self.assertEqual(own, manager.config)

    def test_what_is_so_already_is_not_sent(self):
        manager = Manager()
        self.bring(manager, settings())
        self.bring(manager, settings())
        self.assertEqual(2, manager.changes)

    def test_a_property_of_the_user_s_own_stays_the_only_one(self):
        name = "mapreduce.admin.map.child.java.opts"
        own = f"<property><name>{name}</name><value>-Dx=1</value></property>"
        manager = Manager(**{proxy_in_jobs.MAPREDUCE_SETTING: own})
        self.bring(manager, settings())
        self.assertEqual(1, manager.config[proxy_in_jobs.MAPREDUCE_SETTING].count(name))

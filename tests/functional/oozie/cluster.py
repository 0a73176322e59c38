# SPDX-License-Identifier: Apache-2.0
"""A whole small cluster in one container of the node image: HDFS, YARN, JobHistory and Oozie as their own users."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
import time
import urllib.request
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import docker
import fixtures
import requests
from sahara.service.edp.oozie import oozie
from sahara.utils import xmlutils

from tests import node_network

FQDN = "oozie-test.novalocal"
NAMENODE = f"hdfs://{FQDN}:8020"
RESOURCE_MANAGER = f"{FQDN}:8032"
START_TIMEOUT = 180  # seconds, on a machine that does much else

_PROCESS_DIR = "/run/oozie-test"
_SITES = {
    "core-site.xml": {
        "fs.defaultFS": NAMENODE,
        "hadoop.tmp.dir": "/data/tmp",
        "hadoop.proxyuser.oozie.hosts": "*",
        "hadoop.proxyuser.oozie.groups": "*",
    },
    "hdfs-site.xml": {
        "dfs.replication": "1",
        "dfs.namenode.name.dir": "file:///data/hdfs/name",
        "dfs.datanode.data.dir": "file:///data/hdfs/data",
        "dfs.namenode.http-address": f"{FQDN}:50070",
    },
    "yarn-site.xml": {
        "yarn.resourcemanager.hostname": FQDN,
        "yarn.nodemanager.aux-services": "mapreduce_shuffle",
        "yarn.nodemanager.local-dirs": "/data/yarn/local",
        "yarn.nodemanager.log-dirs": "/data/yarn/logs",
        "yarn.nodemanager.resource.memory-mb": "2560",
        "yarn.nodemanager.vmem-check-enabled": "false",
        "yarn.scheduler.minimum-allocation-mb": "128",
        "yarn.scheduler.capacity.maximum-am-resource-percent": "1.0",
        "yarn.application.classpath": "$HADOOP_CONF_DIR,/opt/hadoop/lib/*",
        "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": "99",
    },
    "mapred-site.xml": {
        "mapreduce.framework.name": "yarn",
        "mapreduce.application.classpath": "/opt/hadoop/lib/*",
        "mapreduce.map.memory.mb": "512",
        "mapreduce.reduce.memory.mb": "512",
        "mapreduce.task.io.sort.mb": "32",
        "yarn.app.mapreduce.am.resource.mb": "512",
        "yarn.app.mapreduce.am.staging-dir": "/user",
        "mapreduce.jobhistory.address": f"{FQDN}:10020",
        "mapreduce.jobhistory.webapp.address": f"{FQDN}:19888",
        "mapreduce.jobhistory.intermediate-done-dir": "/user/history/done_intermediate",
        "mapreduce.jobhistory.done-dir": "/user/history/done",
    },
    "oozie-site.xml": {"oozie.service.CallableQueueService.threads": "6"},
}
_SERVER = "org.apache.hadoop.hdfs.server"
_YARN = "org.apache.hadoop.yarn.server"


def image() -> str:
    """The node image that ``make test`` has built."""
    try:
        return os.environ["SAHARA_DOCKER_TEST_IMAGE"]
    except KeyError:
        raise AssertionError("SAHARA_DOCKER_TEST_IMAGE is not set: run `make test`, which builds the image") from None


class Cluster(fixtures.Fixture):
    """The cluster, and Sahara's own client of its Oozie.

    :param yarn: False leaves YARN out, for tests that run no job.
    :ivar url: base of Oozie's REST API.
    :ivar client: ``sahara.service.edp.oozie.oozie.OozieClient``.
    """

    def __init__(self, *, yarn: bool = True) -> None:
        super().__init__()
        self._yarn = yarn
        self._mark = uuid.uuid4().hex[:6]
        number = int(self._mark[:4], 16)
        self._outside_address = f"10.{120 + number % 50}.{number // 50 % 256}.1"
        self.address = f"{self._outside_address[:-1]}2"
        self.url = f"http://{self.address}:11000/oozie"
        server = SimpleNamespace(remote=lambda: self, get_http_client=None)
        self.client = oozie.OozieClient(self.url, server)

    def get_http_client(self, port: int, info: Any = None) -> requests.Session:
        """What the client asks of a node's remote; no network lies between here and the container."""
        session = requests.Session()
        session.trust_env = False
        return session

    def _setUp(self) -> None:
        client = docker.from_env()
        self.addCleanup(client.close)
        self._container = client.containers.create(
            image(),
            name=f"oozie-test-{self._mark}",
            hostname=FQDN,
            network_mode="none",
            mem_limit="6g",
            sysctls=node_network.SYSCTLS,
        )
        self.addCleanup(self._container.remove, force=True, v=True)
        self._container.start()
        self._container.reload()
        self._join(str(self._container.attrs["State"]["Pid"]))
        self._write_sites()
        self._start_hadoop()
        self.start_oozie()

    def _join(self, pid: str) -> None:
        outside, inside = f"oo{self._mark}", f"oi{self._mark}"
        network = ("nsenter", "--target", pid, "--net", "ip")
        self.addCleanup(subprocess.run, ["ip", "link", "delete", outside], capture_output=True)
        for command in (
            ("ip", "link", "add", outside, "type", "veth", "peer", "name", inside, "netns", pid),
            ("ip", "address", "add", f"{self._outside_address}/30", "dev", outside),
            ("ip", "link", "set", outside, "up"),
            (*network, "address", "add", f"{self.address}/30", "dev", inside),
            (*network, "link", "set", inside, "up"),
            (*network, "link", "set", "lo", "up"),
        ):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise AssertionError(f"{' '.join(command)}: {done.stderr.strip()}")

    def _write_sites(self) -> None:
        hosts = f"127.0.0.1 localhost\n{self.address} {FQDN} {FQDN.partition('.')[0]}\n"
        self.run(f"printf '{hosts}' >/etc/hosts && mkdir -p {_PROCESS_DIR} /data && chmod 777 /data")
        # Containers of a job read the client configuration, which Cloudera Manager deploys.
        self.run("mkdir -p /data/yarn /data/hdfs && chown yarn /data/yarn && chown hdfs /data/hdfs")
        for directory in (_PROCESS_DIR, "/etc/hadoop/conf"):
            for name, properties in _SITES.items():
                self.write(f"{directory}/{name}", xmlutils.create_hadoop_xml(properties).encode())

    def _start_hadoop(self) -> None:
        self.run("hdfs namenode -format -nonInteractive", user="hdfs")
        self._daemon("hdfs", "hdfs namenode", "namenode")
        self._daemon("hdfs", "hdfs datanode", "datanode")
        jmx = "http://{}:50070/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState"
        self.await_answer(jmx.format(self.address), lambda answer: answer["beans"][0]["NumLiveDataNodes"] == 1)
        # The directories that Cloudera Manager makes when a service runs for the first time.
        self.run(
            "hdfs dfs -mkdir -p /tmp /user/oozie /user/hdfs /user/history && hdfs dfs -chown oozie:oozie /user/oozie"
            " && hdfs dfs -chown mapred:hadoop /user/history && hdfs dfs -chmod 1777 /tmp /user /user/history",
            user="hdfs",
        )
        if self._yarn:
            self._daemon("yarn", "yarn resourcemanager", "resourcemanager")
            self._daemon("yarn", "yarn nodemanager", "nodemanager")
            # Oozie asks it about a MapReduce job that has ended.
            self._daemon("mapred", "mapred historyserver", "historyserver")
            metrics = f"http://{self.address}:8088/ws/v1/cluster/metrics"
            self.await_answer(metrics, lambda answer: answer["clusterMetrics"]["activeNodes"] == 1)
            history = f"http://{self.address}:19888/ws/v1/history/info"
            self.await_answer(history, lambda answer: "startedOn" in answer["historyInfo"])

    def _daemon(self, user: str, command: str, name: str) -> None:
        environment = {"HADOOP_OPTS": "-Xmx256m"}
        self._container.exec_run(
            ["sh", "-c", f"exec {command} >/tmp/{name}.log 2>&1"], user=user, detach=True, environment=environment
        )

    def start_oozie(self) -> float:
        """Start Oozie as the agent does, wait until it says that its mode is normal, return the seconds until then."""
        environment = {
            "OOZIE_CONF_DIR": _PROCESS_DIR,
            "OOZIE_HTTP_PORT": "11000",
            "OOZIE_LOG_DIR": "/var/log/oozie",
            "OOZIE_DATA_DIR": "/var/lib/oozie/data",
        }
        began = time.monotonic()
        self._container.exec_run(
            ["sh", "-c", "exec /opt/oozie/bin/oozie-server >/var/log/oozie/stdout 2>&1"],
            user="oozie",
            detach=True,
            environment=environment,
        )
        self.await_answer(f"{self.url}/v1/admin/status", lambda answer: answer["systemMode"] == "NORMAL")
        return time.monotonic() - began

    def kill_oozie(self) -> None:
        """End Oozie without a chance to tidy up, and wait until it is gone."""
        self.run(
            "pkill -9 -u oozie java; for i in $(seq 100); do pgrep -u oozie java || exit 0; sleep 0.1; done; exit 1"
        )

    def await_answer(self, url: str, satisfied: Callable[[Any], bool]) -> None:
        """Poll a JSON page until it satisfies; fail with the daemons' last words."""
        deadline = time.monotonic() + START_TIMEOUT
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        observed: object = None
        while time.monotonic() < deadline:
            try:
                with opener.open(url, timeout=10) as response:
                    observed = json.load(response)
                if satisfied(observed):
                    return
            except (OSError, ValueError, KeyError, IndexError) as error:
                observed = error
            time.sleep(0.2)
        logs = self.run("tail -n 15 /tmp/*.log /var/log/oozie/stdout /var/log/oozie/oozie.log 2>&1 || :")
        raise AssertionError(f"{url} after {START_TIMEOUT} s: {observed}\n{logs}")

    def run(self, script: str, user: str = "root") -> str:
        """Run a shell script in the container and return its output, without what it says on stderr."""
        code, (output, errors) = self._container.exec_run(["bash", "-c", script], user=user, demux=True)
        if code:
            raise AssertionError(f"{script}: exit {code}: {(errors or output or b'').decode()[-2000:]}")
        return (output or b"").decode()

    def write(self, path: str, content: bytes) -> None:
        """Write a file in the container, readable for everyone."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            member = tarfile.TarInfo(os.path.basename(path))
            member.size, member.mode = len(content), 0o644
            tar.addfile(member, io.BytesIO(content))
        self._container.put_archive(os.path.dirname(path), archive.getvalue())


def job_execution(identifier: str | None = None) -> Any:
    """What Sahara's client reads of a job execution."""
    return SimpleNamespace(extra={}, engine_job_id=identifier)


def job_properties(directory: str) -> str:
    """The properties of a job as ``OozieJobEngine._get_oozie_job_params`` makes them."""
    return xmlutils.create_hadoop_xml(
        {
            "oozie.wf.application.path": f"{NAMENODE}{directory}/workflow.xml",
            "nameNode": NAMENODE,
            "jobTracker": RESOURCE_MANAGER,
            "user.name": "hdfs",
            "oozie.libpath": "",
            "oozie.use.system.libpath": "true",
        }
    )

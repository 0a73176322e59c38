# SPDX-License-Identifier: Apache-2.0
"""A cluster's nodes, seen from inside: logins, limits and what runs there."""

from __future__ import annotations

from sahara_docker.cli.doctor import check
from sahara_docker.cli.doctor.node_facts import Facts
from sahara_docker.cli.doctor.nodes import each
from sahara_docker.cli.doctor.site import Site

_MOST_ZOMBIES = 5


@check.declare(
    "nodes.login",
    "whether the image's login user has a password, a session and sudo",
    covers=(2, 3, 8, "database-session"),
    remedy='in the image: chpasswd; echo "USER ALL=(ALL) NOPASSWD: ALL" in '
    "/etc/sudoers.d; no limit in /etc/security/limits.d above the container's own",
)
def login(site: Site) -> check.Result:
    def trouble(facts: Facts) -> str:
        if facts.text("session") != "opens":
            return f"no session: {facts.lines('session')[:1] or ['refused']}"
        return (
            ""
            if facts.text("sudo") == "works"
            else f"sudo without a password: {facts.lines('sudo')[:1] or ['refused']}"
        )

    return each(site, trouble, f"login of {site.login_user}", "a session opens and sudo works")


@check.declare(
    "nodes.limits",
    "whether limits.d asks for more than the container may have",
    covers=(8, "database-session"),
    remedy="lower it in /etc/security/limits.d, or raise [docker] ulimits in nova.conf and create the cluster anew",
)
def limits(site: Site) -> check.Result:
    titles = {"nofile": "Max open files", "nproc": "Max processes"}

    def trouble(facts: Facts) -> str:
        hard = {line[:25].strip(): line[25:].split()[1] for line in facts.lines("limits")}
        for row in (line.split() for line in facts.lines("limits.d")):
            limit = hard.get(titles.get(row[2], "")) if len(row) == 4 else None
            if not limit or limit == "unlimited" or row[1] not in ("hard", "-"):
                continue
            if row[3] in ("unlimited", "infinity", "-1") or int(row[3]) > int(limit):
                return f"{' '.join(row)} is more than the container's {limit}"
        return ""

    return each(site, trouble, "/etc/security/limits.d", "no more than the containers have")


@check.declare(
    "nodes.memory",
    "whether containers have a memory limit, and it is the flavor's",
    covers=("memory",),
    remedy="create the instance with the Docker driver of this package, which sets it from the flavor",
)
def memory(site: Site) -> check.Result:
    wrong = {}
    for node, facts in site.facts.items():
        ram = site.flavors.get(node.flavor_id, {}).get("ram", 0) << 20
        text = facts.text("memory")
        limit = int(text) if text.isdigit() else 0
        if not limit or (ram and limit > ram):
            wrong[node.name] = f"limit {limit >> 20 if limit else 'none'}, its flavor has {ram >> 20} MiB"
    return check.findings(wrong, "memory limits of control groups", "the flavors'")


@check.declare(
    "nodes.database",
    "whether Cloudera Manager's database runs",
    covers=(8, "database-session"),
    remedy="on the node: sudo service cloudera-scm-server-db start; its log is /var/log/cloudera-scm-server/db.log",
)
def database(site: Site) -> check.Result:
    manager = site.cluster.manager
    facts = site.facts.get(manager) if manager else None
    if facts is None or not facts.has("database"):
        raise check.NotHere("Cloudera Manager's node is not in reach, or has a database elsewhere")
    runs = facts.text("database") == "runs"
    return check.judge(runs, f"cloudera-scm-server-db on {manager}", "runs" if runs else "does not run")


@check.declare(
    "nodes.agent",
    "whether every node's Cloudera agent runs",
    covers=(15, "agent-restart"),
    remedy="on the node: sudo service cloudera-scm-agent clean_restart_confirmed (restart from CDH 6.1.1 on); "
    "its log is /var/log/cloudera-scm-agent/cloudera-scm-agent.log",
)
def agent(site: Site) -> check.Result:
    def trouble(facts: Facts) -> str:
        if facts.text("agent") != "runs":
            return f"down; its log ends: {facts.text('agent-log')[-200:] or 'it has no log'}"
        more = int(facts.text("supervisors") or 0)
        return f"{more} supervisors, so an earlier one was not stopped" if more > 1 else ""

    return each(site, trouble, "cloudera-scm-agent", "runs", where="agent")


@check.declare(
    "nodes.agent-tmpfs",
    "whether agents got a place for their processes' files",
    covers=("agent-tmpfs",),
    remedy="give the container a tmpfs on /run/cloudera-scm-agent/process (with exec), or build the image with it",
)
def agent_tmpfs(site: Site) -> check.Result:
    def trouble(facts: Facts) -> str:
        if any("/cloudera-scm-agent/process" in line for line in facts.lines("mounts")):
            return ""
        return facts.text("agent-tmpfs")

    return each(site, trouble, "the agents' process directory", "the agents have not complained", where="agent")


@check.declare(
    "nodes.executor",
    "whether NodeManagers start tasks without control groups of their own",
    covers=("inotify",),
    remedy="yarn.nodemanager.container-executor.class = "
    "org.apache.hadoop.yarn.server.nodemanager.DefaultContainerExecutor",
)
def executor(site: Site) -> check.Result:
    def trouble(facts: Facts) -> str:
        name = facts.text("executor")
        return name if name and not name.endswith("DefaultContainerExecutor") else ""

    return each(site, trouble, "container-executor.class", "DefaultContainerExecutor")


@check.declare(
    "nodes.swift",
    "whether nodes of a cluster that uses Swift have its library",
    covers=(14,),
    remedy="sahara.swift names the address to fetch it from; or build it into the image",
)
def swift(site: Site) -> check.Result:
    if str(site.cluster.configs("general").get("Enable Swift", False)).lower() != "true":
        raise check.NotHere("the cluster does not use Swift")
    return each(site, lambda facts: "" if facts.text("swift") else "has none", "hadoop-openstack.jar", "there")


@check.declare(
    "nodes.zombies",
    "processes that ended and that nobody reaps",
    covers=("zombies",),
    remedy="build the image with an init such as tini, or set [docker] init = true in nova.conf",
)
def zombies(site: Site) -> check.Result:
    def trouble(facts: Facts) -> str:
        count = int(facts.text("zombies") or 0)
        return f"{count} zombies under {facts.text('init')}" if count > _MOST_ZOMBIES else ""

    return each(site, trouble, "process lists", "reaped", otherwise=check.WARN)

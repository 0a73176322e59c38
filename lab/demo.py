# SPDX-License-Identifier: Apache-2.0
"""``make demo``: from whatever is there to a Hadoop job's output, then a page of facts."""

from __future__ import annotations

from lab import cluster, command, console, control, dashboard, installation, memory, settings, wordcount
from sahara_docker import exceptions


def run(lab: settings.Lab) -> None:
    """Bring the lab up, make the cluster, run the job, show what came of it.

    An interrupt ends what this run had started: a lab that was up before stays up.

    :raises SaharaDockerError: with the first thing that failed.
    """
    was_up = control.is_up(lab)
    console.say("OpenStack with Sahara, a Hadoop cluster on Docker containers, and a job on it.\n")
    cloud, _ = installation.up(lab)
    ready_after = console.elapsed()
    try:
        console.say("\nA cluster of four containers, with the ordinary client:")
        made, create_seconds = cluster.ensure(lab, cloud)
        active_after = console.elapsed()
        console.say("\nA MapReduce job on it, through Sahara's EDP:")
        result = wordcount.run(lab, cloud, made)
    except (KeyboardInterrupt, exceptions.SaharaDockerError) as error:
        if not command.interrupted.is_set():
            raise
        if not was_up:
            control.stop(lab)
            console.step("stopped what this command had started; what it had made is taken up by the next run")
        raise KeyboardInterrupt from error
    job_after = console.elapsed()
    if command.interrupted.is_set():
        raise KeyboardInterrupt
    phases = {"OpenStack and the node image": ready_after}
    phases["cluster, templates included"] = active_after - ready_after
    phases["job, its definitions and text included"] = job_after - active_after
    for line in page(lab, made, create_seconds, result, phases):
        console.say(line)


def page(
    lab: settings.Lab,
    made: cluster.Cluster,
    create_seconds: float | None,
    result: wordcount.Result,
    phases: dict[str, float],
) -> list[str]:
    """The facts that a newcomer wants at the end, line by line."""
    lines = ["", "=" * 78, f"Cluster {made.name} ({cluster.PLUGIN} {cluster.VERSION}): Active", ""]
    lines += [f"  {node.fqdn:34} {node.address:14} {node.group}" for node in made.nodes]
    lines += ["", "Web pages (reachable from this machine):"]
    lines += [f"  {name:34} {address}" for name, address in made.web_pages().items()]
    if dashboard.is_chosen(lab):
        lines += [f"  {'Horizon':34} {dashboard.words(lab)}"]
    lines += [
        "",
        f"Job {result.job_id}: {result.state} in {result.seconds:.0f} s; {result.text_bytes / 1e6:.1f} MB of text, "
        f"{result.words} words, {result.distinct} different ones.",
        "Its output was read from HDFS and equals a count made without Hadoop. Top ten:",
    ]
    lines += [f"  {number:9} {word}" for word, number in result.top]
    lines += ["", "Time:"]
    lines += [f"  {name:42} {seconds:6.1f} s" for name, seconds in phases.items()]
    lines += [f"  {'all together':42} {sum(phases.values()):6.1f} s"]
    if create_seconds is not None:
        lines += [f"  (of which cluster create to Active: {create_seconds:.1f} s)"]
    resident, share = memory.of(lab)
    lines += [
        f"Memory of OpenStack, MariaDB and RabbitMQ: {resident} MB resident, {share} MB with shared pages once",
        "",
    ]
    lines += [
        "Real: Keystone, Placement, Glance, Nova, Neutron, Heat, Sahara, MariaDB, RabbitMQ, Docker, PostgreSQL,",
        "      Oozie, Spark, and HDFS, YARN and MapReduce of Apache Hadoop.",
        f"Stand-ins, since the real ones cannot be had: {'; '.join(STAND_INS)}.",
        "",
        "Next:",
        f"  source {lab.state}/openrc",
        "  openstack dataprocessing cluster show demo",
        "  openstack dataprocessing cluster scale demo --instances cdh-worker:3",
        "  openstack dataprocessing job list",
        "  make demo          # again, on the running lab: a new job on the same cluster",
        "  make demo-down     # take everything away",
    ]
    return lines


#: What is not the real thing in the lab.
STAND_INS = ("Cloudera Manager (proprietary; its REST API, starting the real daemons)",)

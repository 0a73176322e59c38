# SPDX-License-Identifier: Apache-2.0
"""Every option of the package; each plug point registers only its own group.

``[sahara_docker]`` goes into sahara.conf, ``[docker]`` into the nova.conf of a compute host.
"""

from __future__ import annotations

from oslo_config import cfg

SAHARA_GROUP = cfg.OptGroup("sahara_docker", title="Clusters on Docker containers")
NOVA_GROUP = cfg.OptGroup("docker", title="Docker compute driver")

SAHARA_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "ssh_password",
        secret=True,
        help="""
Password of the image's login user, for the first login to a node of an image that has no password of its own.

A container has no cloud-init that would install the cluster's public key, so the first login is by password. The user's
name is the one that the image was registered with. An image's property sahara_docker_password in Glance goes before
this. Without either, only key login is tried.
""",
    ),
    cfg.BoolOpt(
        "rotate_password",
        default=True,
        help="""
Replace the login user's password on every new node by a random one, right after the first login.

The image's password is the same for all nodes of all clusters, and whoever can read the image may know it. Turn this
off where the image's password has to stay valid, such as for monitoring, or where the image has no chpasswd. The
cluster's key is installed either way.
""",
    ),
    cfg.IntOpt(
        "ssh_max_connections",
        default=500,
        min=2,
        help="""
Most SSH connections that an engine process keeps open at a time, one a node.

Each takes a file descriptor. When more nodes are in work, the connection that was idle longest is closed, and opened
again at its node's next command.
""",
    ),
    cfg.IntOpt(
        "accessible_timeout",
        default=300,
        min=1,
        help="""
Longest wait, in seconds, for a login to a new node to work.

A container's sshd answers within seconds, so a longer wait only hides a cause. What waiting cannot mend, such as a
refused password, ends the wait earlier.
""",
    ),
    cfg.IntOpt(
        "stack_timeout",
        default=1800,
        min=60,
        help="""
Longest wait, in seconds, for Heat to create, change or delete a cluster's stack.

Heat is told the same limit, in whole minutes.
""",
    ),
    cfg.IntOpt(
        "decommission_timeout",
        default=21600,
        min=60,
        help="""
Longest wait, in seconds, for HDFS to copy the data of leaving nodes to those that stay.

It takes as long as the data on them and the network make it: 1 TiB at 100 MB/s are three hours. A scaling that
is given up because of it leaves the cluster as it was. A scaling goes on with its user's token afterwards, so
Keystone's [token] expiration has to be longer than it takes.
""",
    ),
    cfg.IntOpt(
        "lease_time",
        default=60,
        min=5,
        help="""
Seconds without a sign of life after which an engine's work on a cluster is taken over by another engine.

An engine that was killed on the same machine is found out at once; this is for one that cannot be seen, on another host
or in another container. All engines of a cloud should have the same value. A shorter time finds a dead engine sooner,
but takes one for dead that only stands still for so long.
""",
    ),
    cfg.StrOpt(
        "http_proxy",
        secret=True,
        help="""
Proxy for http that new clusters' nodes use, such as http://proxy.example.org:3128.

A cluster's own config "HTTP proxy" goes before it. Without any proxy, nothing is changed on the nodes.
""",
    ),
    cfg.StrOpt(
        "https_proxy",
        secret=True,
        help="""
Proxy for https that new clusters' nodes use; the one for http when only that is set.

A cluster's own config "HTTPS proxy" goes before it.
""",
    ),
    cfg.StrOpt(
        "no_proxy",
        help="""
Comma-separated hosts, domains and networks that nodes reach without the proxy, such as the cloud's own API endpoints.

Every node of the cluster is added by address, full and short name. A cluster's own config "No proxy" goes before it.
""",
    ),
]

NOVA_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "host",
        regex=r"(unix:///|tcp://|https?://|ssh://).+",
        default="unix:///var/run/docker.sock",
        help="""
Address of the Docker daemon that runs this host's instances.

The user of nova-compute needs access to it, which is equal to root on the host.
""",
    ),
    cfg.ListOpt(
        "sandbox_command",
        default=["sleep", "infinity"],
        help="""
What the sandbox container of an instance runs: a command that never ends and needs nothing.

The sandbox holds the instance's network, so that the network is complete before the instance's first process and
survives its restarts. It is made from the instance's own image, so the command must be in every image that tenants may
boot.
""",
    ),
    cfg.ListOpt(
        "ulimits",
        default=["nofile=65536", "nproc=65536", "memlock=-1"],
        help="""
Resource limits of every instance, as ``name=soft:hard`` or ``name=value``; -1 is unlimited.

Set at creation, because an unprivileged container cannot raise a hard limit later, and PAM refuses the session of a
service such as a database when it is asked to. A value above what the Docker daemon itself may grant is lowered to
that, with a line in the log. A flavor's ``docker:ulimits`` (same syntax) overrides single names.
""",
    ),
    cfg.ListOpt(
        "sysctls",
        default=[],
        help="""
Kernel parameters of every instance, as ``name=value``; a flavor's ``docker:sysctls`` overrides single names.

Only those that belong to an instance's own namespaces: ``net.*``, ``kernel.shm*``, ``kernel.msg*``, ``kernel.sem``,
``fs.mqueue.*``. The others are the host's; vm.swappiness and the like are to be set there.
""",
    ),
    cfg.BoolOpt(
        "cpu_cap",
        default=False,
        help="""
Give an instance never more CPU time than its flavor's vCPUs, on an idle host either.

By default CPUs are a share: what others do not use, an instance may. But only a cap shows: a JVM takes the number of
CPUs, and with it the number of its threads, from the cap, and from the host's CPUs when there is none. A flavor's
``docker:cpu_cap`` overrides it, ``quota:cpu_quota`` sets another cap.
""",
    ),
    cfg.IntOpt(
        "pids_limit",
        default=16384,
        min=16,
        help="""
Processes and threads that one instance may have; a flavor's ``docker:pids_limit`` overrides it.
""",
    ),
    cfg.IntOpt(
        "shm_size_mb",
        default=256,
        min=1,
        help="""
Size of /dev/shm in an instance, in MiB; a flavor's ``docker:shm_size_mb`` overrides it.

What is stored there counts against the instance's memory. Docker's own default of 64 is short for a database.
""",
    ),
    cfg.StrOpt(
        "data_path",
        default="/mnt",
        help="""
Where an instance finds its data volume: a Docker volume that lives as long as the instance.

Data of HDFS and the like belong there and not into the container's root, whose copy-on-write layer is slow. /mnt is
where Sahara keeps the data of a node without Cinder volumes. Empty: none.
""",
    ),
    cfg.StrOpt(
        "data_backend",
        default="docker",
        choices=[
            ("docker", "a volume of the Docker daemon: shares the disk of all others, without a limit"),
            ("loop", "an ext4 file system in a sparse file, of the size that the flavor says"),
        ],
        help="""
What the data volume of a new instance is made of.

``loop`` holds an instance to its flavor: ``docker:data_gb``, else its ephemeral disk, else its root disk. It needs the
Docker daemon on the same host, mke2fs, losetup, and a loop device for each instance (Linux makes them as needed).
""",
    ),
    cfg.StrOpt(
        "volumes_path",
        default="/volumes",
        help="""
Where an instance finds the Cinder volumes that are attached to it: /dev/vdb as disk1 below it, and so on. Empty: none
can be attached.

Sahara's nodes expect /volumes/disk1 and following. nova-compute mounts them, so it must see the host's mount namespace,
as the Docker daemon must: without PrivateMounts and the like in their systemd units.
""",
    ),
    cfg.StrOpt(
        "lxcfs_path",
        default="/var/lib/lxcfs",
        help="""
Where lxcfs is mounted on this host. When it is, new instances see their own memory in /proc/meminfo and so on, and
otherwise the host's; their own CPUs in /proc/cpuinfo too when they have a cap and lxcfs runs with ``--enable-cfs``.

Needed for programs that size themselves by /proc, such as Cloudera Manager's agent; a JVM asks the control group.
Instances that were made with it lose these files when lxcfs ends, until it is back and they are started again. Empty:
never use it.
""",
    ),
    cfg.MultiStrOpt(
        "environment",
        default=[],
        help="""
One ``NAME=value`` for the environment of every instance's first process; may be given many times.

Meant for proxies: a container takes neither the host's nor the Docker daemon's proxy settings.
""",
    ),
    cfg.ListOpt(
        "cap_add",
        default=[],
        help="""
Linux capabilities that every instance gets beyond Docker's default; a flavor's ``docker:cap_add`` adds to them.

An image can never ask for any. Hadoop needs none.
""",
    ),
    cfg.ListOpt(
        "devices",
        default=[],
        help="""
Devices of the host that every instance gets, as ``/dev/host[:/dev/instance[:rwm]]``; a flavor's ``docker:devices`` adds
to them.
""",
    ),
    cfg.BoolOpt(
        "privileged",
        default=False,
        help="""
Run every instance privileged, which makes root in an instance root on the host.

A flavor's ``docker:privileged`` overrides it. An image can never ask for it. Hadoop does not need it.
""",
    ),
    cfg.IntOpt(
        "image_cache_mb",
        default=0,
        min=0,
        help="""
Most MiB of Glance images that no instance uses on this host; above it, the one that came first is removed first. 0: no
limit.

Nova's ``[image_cache]`` options remove what was not used for a time; this one keeps the disk from filling before that.
""",
    ),
    cfg.BoolOpt(
        "init",
        default=False,
        help="""
Put Docker's own init before the first process of every instance, to reap zombies.

For images whose first process does not reap; harmful for images that bring an init of their own.
""",
    ),
]


def register_sahara_opts(conf: cfg.ConfigOpts) -> None:
    """Register ``[sahara_docker]`` on *conf*; harmless when it is there already."""
    conf.register_group(SAHARA_GROUP)
    conf.register_opts(SAHARA_OPTS, group=SAHARA_GROUP)


def register_nova_opts(conf: cfg.ConfigOpts) -> None:
    """Register ``[docker]`` on *conf*; harmless when it is there already."""
    conf.register_group(NOVA_GROUP)
    conf.register_opts(NOVA_OPTS, group=NOVA_GROUP)


def list_sahara_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """Options of the Sahara side, for oslo-config-generator."""
    return [(SAHARA_GROUP, SAHARA_OPTS)]


def list_nova_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """Options of the Nova side, for oslo-config-generator."""
    return [(NOVA_GROUP, NOVA_OPTS)]

# SPDX-License-Identifier: Apache-2.0
"""What people read about options of Sahara and of the stock plugin, in Horizon's forms and in the client's lists.

Names are what templates refer to, and stay. Texts that were missing, or true of virtual machines only, are here.
"""

from __future__ import annotations

import copy

from sahara.plugins import provisioning

_NOT_USED = "Not used: "
_IN_THE_IMAGE = f"{_NOT_USED}the node image has CDH's packages"

#: By section and name.
TEXTS = {
    "general": {
        "Enable NTP service": "Whether nodes set their clock by NTP; containers have the clock of their host",
        "URL of NTP server": "Address of the NTP server, where nodes set their clock by one; Sahara's own when empty",
        "Enable XFS": f"{_NOT_USED}what mounts a container's volumes decides on their file system",
        "Timeout for disk preparing": f"{_NOT_USED}a container's volumes are mounted before it starts",
        "Heat Wait Condition timeout": f"{_NOT_USED}a container does not tell Heat that it has started",
        "CDH5 repo list URL": _IN_THE_IMAGE,
        "CDH5 repo key URL (for debian-based only)": _IN_THE_IMAGE,
        "CM5 repo list URL": _IN_THE_IMAGE,
        "CM5 repo key URL (for debian-based only)": _IN_THE_IMAGE,
        "KMS repo list URL": _IN_THE_IMAGE,
        "KMS repo key URL (for debian-based only)": _IN_THE_IMAGE,
        "Enable HBase Common Lib": "Bring HBase's libraries to HDFS, where Oozie's jobs on HBase look for them",
        "ExtJS library URL": "Where the node with Oozie fetches Ext 2.2, when its image does not have it; needed by "
        "Oozie's web console only",
        "Require Anti Affinity": "Refuse a highly available cluster whose template does not keep its masters on "
        "different compute hosts (anti-affinity of NameNodes and ResourceManagers)",
    },
    "Kerberos": {
        "Enable Kerberos Security": "Users and services prove who they are by Kerberos",
        "Existing KDC": "Use a KDC that is there; otherwise the cluster gets one, on the node of Cloudera Manager",
        "Server IP of KDC": "Address of the existing KDC",
        "Realm Name": "Kerberos realm of the cluster, that of the existing KDC where one is used",
        "Admin principal": "Principal, without the realm, that may add others to the KDC",
        "Admin password": "Password of the admin principal of an existing KDC; a new KDC gets a random one",
        "JCE libraries": f"{_NOT_USED}every Java since 8u161 has the strong ciphers",
    },
    "Spark": {"Executor extra classpath": f"{_NOT_USED}Cloudera Manager configures Spark"},
}


def mend(config: provisioning.Config) -> provisioning.Config:
    """Return a copy of *config* as users of containers should see it.

    Horizon sends what differs from the default, and its forms cut white space off the ends of what they hold.
    """
    mended = copy.copy(config)
    mended.description = TEXTS.get(config.applicable_target, {}).get(config.name, config.description)
    if mended.description.startswith(_NOT_USED):
        mended.priority = 2  # behind "Show full configuration"
    if isinstance(config.default_value, str):
        mended.default_value = config.default_value.strip()
    if config.name == provisioning.NTP_ENABLED.name:
        mended.default_value = False  # as the engine has it, for a cluster that does not say
    return mended

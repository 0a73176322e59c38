# SPDX-License-Identifier: Apache-2.0
"""A cluster's passwords in Sahara's key manager.

The stock plugin never removes them, and its function for it calls one that Sahara does not have.
"""

from __future__ import annotations

import functools
from typing import Any

from oslo_log import log as logging
from oslo_utils import uuidutils
from sahara.plugins import castellan_utils, conductor, context, kerberos
from sahara_plugin_cdh.plugins.cdh import db_helper

from sahara_docker import cluster_extra

LOG = logging.getLogger(__name__)

# Sahara's own name for the password of the KDC's administrator.
KDC_PASSWORD = "admin-passwd-kdc"  # noqa: S105 - a key of the cluster's extra
# Keys of the cluster's ``extra``; their values are the key manager's references.
CLUSTER_KEYS = (
    db_helper.CM_PASSWORD,
    db_helper.HIVE_DB_PASSWORD,
    db_helper.SENTRY_DB_PASSWORD,
    KDC_PASSWORD,
)


def prepare(cluster: Any) -> None:
    """Make up the passwords that a cluster will need and has not got yet.

    The stock plugin's and Sahara's own functions would do so as well, but write back all of the cluster's ``extra`` as
    they have read it before, and what another has put there meanwhile is lost. After this they only read.
    """
    ctx = context.ctx()
    names = [db_helper.CM_PASSWORD, db_helper.HIVE_DB_PASSWORD, db_helper.SENTRY_DB_PASSWORD]
    if kerberos.is_kerberos_security_enabled(cluster) and not kerberos.using_existing_kdc(cluster):
        names.append(KDC_PASSWORD)
    for name in names:
        if (cluster.extra or {}).get(name):
            continue
        reference = castellan_utils.store_secret(uuidutils.generate_uuid(), ctx)
        kept = cluster_extra.change_item(cluster.id, name, functools.partial(_first, reference))
        if kept != reference:
            castellan_utils.delete_secret(reference, ctx)


def _first(new: str, present: str | None) -> str:
    return present or new


def of_cloudera_manager(cluster: Any) -> str:
    """Return the password of Cloudera Manager's administrator, made up at the first call."""
    return db_helper.get_cm_password(cluster)


def remove_all(cluster: Any) -> None:
    """Remove a cluster's passwords; one that cannot be removed is logged, since the cluster has to go all the same."""
    ctx = context.ctx()
    current = conductor.cluster_get(ctx, cluster.id)
    extra = (current.extra if current else None) or {}
    for key in CLUSTER_KEYS:
        reference = extra.get(key)
        if reference is None:
            continue
        try:
            castellan_utils.delete_secret(reference, ctx)
        except Exception as failure:
            # By its type alone: with Sahara's own key manager the reference in a message is the secret itself.
            failed = type(failure).__name__
            LOG.warning("Cannot remove %s of cluster %s from the key manager: %s", key, cluster.name, failed)

# SPDX-License-Identifier: Apache-2.0
"""A cluster's passwords in Sahara's key manager.

The stock plugin never removes them, and its function for it calls one that Sahara does not have.
"""

from __future__ import annotations

from typing import Any

from oslo_log import log as logging
from sahara.plugins import castellan_utils, conductor, context
from sahara_plugin_cdh.plugins.cdh import db_helper

LOG = logging.getLogger(__name__)

# Keys of the cluster's ``extra``; their values are the key manager's references.
CLUSTER_KEYS = (
    db_helper.CM_PASSWORD,
    db_helper.HIVE_DB_PASSWORD,
    db_helper.SENTRY_DB_PASSWORD,
    "admin-passwd-kdc",
)


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
            LOG.warning("Cannot remove %s of cluster %s from the key manager: %s", key, cluster.name, failure)

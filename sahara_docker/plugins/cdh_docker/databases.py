# SPDX-License-Identifier: Apache-2.0
"""Accounts and databases of Hive and Sentry in Cloudera Manager's own PostgreSQL.

The stock plugin's psql goes on after an error and ends with success, and the file with the password stays on the node
when it does not.
"""

from __future__ import annotations

from typing import Any

from sahara_plugin_cdh.plugins.cdh import db_helper

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import shell

# CREATE DATABASE cannot be conditional in SQL, \gexec runs the statement that the query returns, if it returns one.
_CREATE = r"""
SELECT 'CREATE ROLE {user} LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{user}') \gexec
ALTER ROLE {user} LOGIN PASSWORD '{password}';
SELECT 'CREATE DATABASE {database} OWNER {user} ENCODING ''UTF8'''
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{database}') \gexec
GRANT ALL PRIVILEGES ON DATABASE {database} TO {user};
"""

_RUN = r"""
PGPASSWORD=$(head -n 1 /var/lib/cloudera-scm-server-db/data/generated_password.txt) || exit 1
export PGPASSWORD
psql -v ON_ERROR_STOP=1 -q -U cloudera-scm -h localhost -p 7432 -d scm -f "$1"
"""


def create_for_hive(manager: Any, cluster: Any) -> None:
    """Create the metastore's database on Cloudera Manager's node."""
    _create(manager, "hive", "metastore", db_helper.get_hive_db_password(cluster))


def create_for_sentry(manager: Any, cluster: Any) -> None:
    """Create Sentry's database on Cloudera Manager's node."""
    _create(manager, "sentry", "sentry", db_helper.get_sentry_db_password(cluster))


def _create(manager: Any, user: str, database: str, password: str) -> None:
    sql = _CREATE.format(user=user, database=database, password=password.replace("'", "''"))
    with manager.remote() as remote:
        outcome = shell.run_with_secret(remote, _RUN, sql)
    if outcome.code:
        raise exceptions.SaharaDockerError(
            f"cannot create the database {database}",
            where=manager.fqdn(),
            observed=outcome.last_lines().replace(password, "***"),
            remedy="look at /var/log/cloudera-scm-server/db.log on the node",
        )

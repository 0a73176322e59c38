# SPDX-License-Identifier: Apache-2.0
"""What this package keeps with a cluster in Sahara's database: the cluster's ``extra``, which no API answer shows.

Sahara's own ``cluster_update`` writes back a whole ``extra`` that was read before, so that of two writers one is lost.
Here reading and writing are one transaction that holds the row.
"""

from __future__ import annotations

from typing import Any, Callable

from oslo_db import api as oslo_db_api
from sahara import exceptions as sahara_exceptions
from sahara.db.sqlalchemy import api as database
from sahara.db.sqlalchemy import models

_PREFIX = "sahara_docker"


@oslo_db_api.wrap_db_retry(max_retries=10, retry_interval=0.1, max_retry_interval=2, retry_on_deadlock=True)
def change(cluster_id: str, key: str, how: Callable[[Any], Any]) -> Any:
    """Replace the value of *key* by what *how* makes of it.

    :param how: a function of the present value, None when there is none; returning None removes the key. It may be
        called again when the database asks for a new try, and what it raises leaves everything as it was.
    :returns: the new value.
    :raises NotFoundException: when the cluster is gone.
    """
    session = database.get_session()
    with session.begin():
        row = session.query(models.Cluster).filter_by(id=cluster_id).with_for_update().populate_existing().first()
        if row is None:
            raise sahara_exceptions.NotFoundException(cluster_id, "Cluster id '%s' not found!")
        extra = dict(row.extra or {})
        value = how(extra.get(_name(key)))
        extra.pop(_name(key), None)
        if value is not None:
            extra[_name(key)] = value
        row.extra = extra
    return value


def read(cluster: Any, key: str) -> Any:
    """The value of *key* as *cluster*, an object of Sahara's conductor, had it when it was loaded; or None."""
    return (cluster.extra or {}).get(_name(key))


def _name(key: str) -> str:
    return f"{_PREFIX}.{key}"

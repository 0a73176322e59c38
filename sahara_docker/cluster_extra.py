# SPDX-License-Identifier: Apache-2.0
"""What this package keeps with a cluster in Sahara's database: the cluster's ``extra``, which no API answer shows.

Sahara's own ``cluster_update`` writes back a whole ``extra`` that was read before, so that of two writers one is lost.
Here reading and writing are one transaction that holds the row.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any

import sqlalchemy
from oslo_db import api as oslo_db_api
from sahara import exceptions as sahara_exceptions
from sahara.db.sqlalchemy import api as database
from sahara.db.sqlalchemy import models
from sqlalchemy.orm import attributes

_PREFIX = "sahara_docker"
_retried = oslo_db_api.wrap_db_retry(
    max_retries=10, retry_interval=0.1, max_retry_interval=2, retry_on_deadlock=True, retry_on_disconnect=True
)


@dataclasses.dataclass(frozen=True)
class Row:
    """What :func:`survey` finds of a cluster.

    :param value: of the key asked for; None when there is none.
    """

    id: str
    status: str
    value: Any


def hide_values() -> None:
    """Keep the values in SQL statements and in their results out of this process's logs and errors.

    They are clusters' private keys and passwords: Sahara's own key manager returns the secret itself as its reference.
    """
    database.get_engine().hide_parameters = True
    logging.getLogger("sqlalchemy.engine.Engine").addFilter(_is_no_row)


def _is_no_row(record: logging.LogRecord) -> bool:
    """False for what SQLAlchemy logs of results, at DEBUG."""
    return not str(record.msg).startswith("Row ")


def change(cluster_id: str, key: str, how: Callable[[Any], Any]) -> Any:
    """Replace the value of *key* by what *how* makes of it.

    :param how: a function of the present value, None when there is none; returning None removes the key. It may be
        called again when the database asks for a new try, and what it raises leaves everything as it was.
    :returns: the new value.
    :raises NotFoundException: when the cluster is gone.
    """
    return change_item(cluster_id, _name(key), how)


@_retried
def change_item(cluster_id: str, name: str, how: Callable[[Any], Any]) -> Any:
    """As :func:`change`, for an item of ``extra`` that is Sahara's own: *name* is the whole name."""
    session = database.get_session()
    with session.begin():
        row = _locking(session, cluster_id).first()
        if row is None:
            raise sahara_exceptions.NotFoundException(cluster_id, "Cluster id '%s' not found!")
        extra = dict(row.extra or {})
        value = how(extra.get(name))
        extra.pop(name, None)
        if value is not None:
            extra[name] = value
        row.extra = extra
        # The time of the last change is about what users see; it is set anew unless it is given.
        attributes.flag_modified(row, "updated_at")
    return value


def read(cluster: Any, key: str) -> Any:
    """The value of *key* as *cluster*, an object of Sahara's conductor, had it when it was loaded; or None."""
    return _item(cluster.extra, key)


@_retried
def current(cluster_id: str, key: str) -> Any:
    """The value of *key* as it is now; None when there is none, or no such cluster."""
    session = database.get_session()
    with session.begin():
        row = session.query(models.Cluster.extra).filter_by(id=cluster_id).first()
        return _item(row.extra, key) if row else None


@_retried
def survey(key: str, passed_over: Collection[str] = ()) -> list[Row]:
    """Every cluster of every tenant but those in a status of *passed_over*, with its value of *key*."""
    status = models.Cluster.status
    session = database.get_session()
    with session.begin():
        found = session.query(models.Cluster.id, status, models.Cluster.extra)
        if passed_over:
            found = found.filter(sqlalchemy.or_(status.is_(None), status.notin_(passed_over)))
        return [Row(row.id, row.status or "", _item(row.extra, key)) for row in found]


def _locking(session: Any, cluster_id: str) -> Any:
    """The query for a cluster's row that locks it, and nothing but it.

    What Sahara's model loads along with a row would be read at each call, and PostgreSQL refuses ``FOR UPDATE`` on the
    outer join among it.
    """
    query = session.query(models.Cluster).enable_eagerloads(False).filter_by(id=cluster_id)
    return query.with_for_update().populate_existing()


def _item(extra: Mapping[str, Any] | None, key: str) -> Any:
    return (extra or {}).get(_name(key))


def _name(key: str) -> str:
    return f"{_PREFIX}.{key}"

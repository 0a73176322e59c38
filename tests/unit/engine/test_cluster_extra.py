# SPDX-License-Identifier: Apache-2.0
"""What is asked of the database for what is kept with a cluster."""

from __future__ import annotations

import sqlalchemy
from sahara import conductor, context
from sahara.db.sqlalchemy import api as database
from sahara.tests.unit import base
from sqlalchemy.dialects import mysql, postgresql

from sahara_docker import cluster_extra


class QueriesTest(base.SaharaWithDbTestCase):
    def setUp(self):
        super().setUp()
        values = {"name": "demo", "plugin_name": "fake", "hadoop_version": "0.1", "node_groups": []}
        self.cluster = conductor.API.cluster_create(context.ctx(), values)
        self.statements = []

        def note(connection, cursor, statement, *_):
            if "clusters" in statement:  # not what oslo.db asks to see whether the connection lives
                self.statements.append(statement)

        engine = database.get_engine()
        sqlalchemy.event.listen(engine, "before_cursor_execute", note)
        self.addCleanup(sqlalchemy.event.remove, engine, "before_cursor_execute", note)

    def test_the_lock_is_on_one_table_in_every_database(self):
        query = cluster_extra._locking(database.get_session(), "id")
        for dialect in (mysql.dialect(), postgresql.dialect()):
            text = str(query.statement.compile(dialect=dialect))
            self.assertEqual(1, text.count("SELECT"))
            self.assertNotIn("JOIN", text)
            self.assertTrue(text.endswith("FOR UPDATE"), text)

    def test_a_change_is_one_query_and_one_update(self):
        cluster_extra.change(self.cluster.id, "key", lambda now: 1)
        self.assertEqual(["SELECT", "UPDATE"], [statement.split()[0] for statement in self.statements])
        self.assertNotIn("JOIN", self.statements[0])

    def test_reading_is_one_query(self):
        cluster_extra.current(self.cluster.id, "key")
        cluster_extra.survey("key")
        self.assertEqual(2, len(self.statements), self.statements)
        self.assertNotIn("JOIN", "".join(self.statements))

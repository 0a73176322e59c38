# SPDX-License-Identifier: Apache-2.0
"""Sahara's database in a file, and a context, as an operation of the engine has them."""

from __future__ import annotations

import fixtures
from oslo_config import fixture as config_fixture
from sahara import context
from sahara import main as sahara_main
from sahara.db import api as db_api
from sahara.db.sqlalchemy import api as sqlalchemy_api
from sahara.service.castellan import config as castellan_config
from sahara.utils import rpc


class Database(fixtures.Fixture):
    """A new database; every thread that is patched or not may use it."""

    def _setUp(self) -> None:
        options = self.useFixture(config_fixture.Config(sahara_main.CONF))
        path = self.useFixture(fixtures.TempDir()).join("sahara.sqlite")
        options.config(connection=f"sqlite:///{path}", group="database")
        sqlalchemy_api.cleanup()
        self.addCleanup(sqlalchemy_api.cleanup)
        if not db_api.setup_db():
            raise AssertionError("Sahara's tables could not be made")
        rpc.setup("all-in-one")
        castellan_config.validate_config()
        self.addCleanup(context.set_ctx, context.ctx() if context.has_ctx() else None)
        context.set_ctx(context.Context(user_id="user", tenant_id="tenant", tenant_name="tenant", roles=["member"]))

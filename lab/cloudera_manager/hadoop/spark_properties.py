# SPDX-License-Identifier: Apache-2.0
"""Configuration names of Spark; see :mod:`properties`."""

from __future__ import annotations

from .setting import SPARK, SPARK_HISTORY, Setting, table

SERVICE: dict[str, tuple[Setting, ...]] = {
    "SPARK_ON_YARN": table(SPARK, """
        spark_authenticate               spark.authenticate                        false
    """),
}  # fmt: skip

ROLE: dict[str, tuple[Setting, ...]] = {
    "SPARK_YARN_HISTORY_SERVER": table(SPARK_HISTORY, """
        history_server_web_port          spark.history.ui.port                     18088
        history_server_fs_poll_interval  spark.history.fs.update.interval          2
        history_server_retained_apps     spark.history.retainedApplications        20
        history_server_admin_users       spark.history.ui.admin.acls
        event_log_cleaner_enabled        spark.history.fs.cleaner.enabled          true
        event_log_cleaner_interval       spark.history.fs.cleaner.interval         86400
        event_log_cleaner_max_age        spark.history.fs.cleaner.maxAge           604800
    """),
}  # fmt: skip

CLIENT: dict[str, tuple[Setting, ...]] = {
    "SPARK_ON_YARN": table(SPARK, """
        spark_deploy_mode                spark.submit.deployMode                   client
        spark_history_enabled            spark.eventLog.enabled                    true
        spark_data_serializer            spark.serializer                          org.apache.spark.serializer.KryoSerializer
        spark_ui_enabled                 spark.ui.enabled                          true
        spark_gateway_ui_kill_enabled    spark.ui.killEnabled                      true
        spark_network_encryption_enabled spark.network.crypto.enabled
        spark_io_encryption_enabled      spark.io.encryption.enabled
    """),  # noqa: E501
}  # fmt: skip

#: Safety valves, lines that go verbatim to the end of a file: configuration name to file.
VALVES: dict[str, str] = {
    "spark-conf/spark-defaults.conf_client_config_safety_valve": SPARK,
    "spark-conf/spark-history-server.conf_role_safety_valve": SPARK_HISTORY,
}

# SPDX-License-Identifier: Apache-2.0
"""Configuration names of HBase, Kafka and Hive; see :mod:`properties`."""

from __future__ import annotations

from .setting import CORE, HBASE, HIVE, KAFKA, Setting, same, table

SERVICE: dict[str, tuple[Setting, ...]] = {
    "HBASE": table(HBASE, """
        zookeeper_session_timeout        zookeeper.session.timeout                 60000
        zookeeper_znode_parent           zookeeper.znode.parent                    /hbase
        zookeeper_retries                zookeeper.recovery.retry
        zookeeper_pause                  zookeeper.recovery.retry.intervalmill
        hbase_rpc_timeout                hbase.rpc.timeout
        hbase_client_retries_number      hbase.client.retries.number
        hbase_client_pause               hbase.client.pause
        hbase_client_scanner_caching     hbase.client.scanner.caching
        hbase_client_write_buffer        hbase.client.write.buffer
        hbase_client_keyvalue_maxsize    hbase.client.keyvalue.maxsize
        hbase_server_thread_wakefrequency hbase.server.thread.wakefrequency
        hbase_snapshot_enabled           hbase.snapshot.enabled
        hbase_coprocessor_abort_on_error hbase.coprocessor.abortonerror
        hbase_security_authorization     hbase.security.authorization
        hbase_superuser                  hbase.superuser
    """) + table(CORE, """
        hbase_proxy_user_hosts_list      hadoop.proxyuser.hbase.hosts              *
        hbase_proxy_user_groups_list     hadoop.proxyuser.hbase.groups             *
    """),
    "KAFKA": same(KAFKA, """
        auto.create.topics.enable
        auto.leader.rebalance.enable
        controlled.shutdown.enable
        controlled.shutdown.max.retries
        default.replication.factor
        delete.topic.enable
        leader.imbalance.check.interval.seconds
        leader.imbalance.per.broker.percentage
        log.cleaner.dedupe.buffer.size 4194304
        log.cleaner.delete.retention.ms
        log.cleaner.enable
        log.cleaner.min.cleanable.ratio
        log.cleaner.threads
        log.flush.interval.messages
        log.flush.interval.ms
        log.flush.scheduler.interval.ms
        message.max.bytes
        min.insync.replicas
        num.partitions
        num.replica.fetchers
        offsets.topic.num.partitions 10
        replica.fetch.max.bytes
        replica.lag.time.max.ms
        unclean.leader.election.enable
        zookeeper.session.timeout.ms 18000
    """),
}  # fmt: skip

ROLE: dict[str, tuple[Setting, ...]] = {
    "MASTER": table(HBASE, """
        hbase_master_handler_count       hbase.master.handler.count                10
        hbase_master_logcleaner_ttl      hbase.master.logcleaner.ttl
        hbase_master_logcleaner_plugins  hbase.master.logcleaner.plugins
        hbase_coprocessor_master_classes hbase.coprocessor.master.classes
        hbase_master_executor_openregion_threads hbase.master.executor.openregion.threads
        hbase_master_executor_closeregion_threads hbase.master.executor.closeregion.threads
        hbase_master_executor_serverops_threads hbase.master.executor.serverops.threads
    """),
    "REGIONSERVER": table(HBASE, """
        hbase_regionserver_handler_count hbase.regionserver.handler.count          10
        hbase_regionserver_metahandler_count hbase.regionserver.metahandler.count
        hbase_regionserver_lease_period  hbase.client.scanner.timeout.period
        hbase_regionserver_logroll_period hbase.regionserver.logroll.period
        hbase_regionserver_maxlogs       hbase.regionserver.maxlogs
        hbase_regionserver_msginterval   hbase.regionserver.msginterval
        hbase_regionserver_thread_compaction_small hbase.regionserver.thread.compaction.small
        hbase_regionserver_codecs        hbase.regionserver.codecs
        hbase_coprocessor_region_classes hbase.coprocessor.region.classes
        hbase_hregion_majorcompaction    hbase.hregion.majorcompaction
        hbase_hregion_max_filesize       hbase.hregion.max.filesize
        hbase_hregion_memstore_block_multiplier hbase.hregion.memstore.block.multiplier
        hbase_hregion_memstore_flush_size hbase.hregion.memstore.flush.size
        hbase_hstore_blockingStoreFiles  hbase.hstore.blockingStoreFiles
        hbase_hstore_blockingWaitTime    hbase.hstore.blockingWaitTime
        hbase_hstore_compactionThreshold hbase.hstore.compaction.min
        hbase_hstore_compaction_max      hbase.hstore.compaction.max
        hfile_block_cache_size           hfile.block.cache.size
    """),
    "KAFKA_BROKER": same(KAFKA, """
        broker.id
        log.dirs /var/local/kafka/data
        log.retention.bytes
        log.retention.check.interval.ms
        log.retention.hours
        log.retention.ms
        log.roll.hours
        log.roll.ms
        log.segment.bytes
        max.connections.per.ip
        num.io.threads
    """),
}  # fmt: skip

CLIENT: dict[str, tuple[Setting, ...]] = {
    "HBASE": table(HBASE, """
        hbase_client_scanner_timeout_period hbase.client.scanner.timeout.period
    """),
}  # fmt: skip

SAFETY_VALVES: dict[str, str] = {
    "hbase_service_config_safety_valve": HBASE,
    "hbase_master_config_safety_valve": HBASE,
    "hbase_regionserver_config_safety_valve": HBASE,
    "hbase_client_config_safety_valve": HBASE,
    "hbase_core_site_safety_valve": CORE,
    "hive_service_config_safety_valve": HIVE,
    "hive_metastore_config_safety_valve": HIVE,
    "hive_client_config_safety_valve": HIVE,
    "hive_core_site_safety_valve": CORE,
}

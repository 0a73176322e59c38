# SPDX-License-Identifier: Apache-2.0
"""Cloudera Manager's configuration names and the Hadoop properties that they become.

The names are those of the schema that Sahara's CDH plugin ships for CDH 5.13. Each line of a table is a configuration
name, a property, and the lab's default where it has to be set; without a default Hadoop's own holds.
"""

from __future__ import annotations

from . import spark_properties, store_properties
from .setting import CORE, HDFS, MAPRED, OOZIE, YARN, ZOO, Setting, table

_PROXY_USERS = "\n".join(
    f"{user}_proxy_user_{what}_list hadoop.proxyuser.{user}.{what} *"
    for user in ("oozie", "hive", "hue", "httpfs", "flume", "mapred", "HTTP", "yarn", "hdfs")
    for what in ("hosts", "groups")
)

#: Settings of a whole service: they go into the files of all its roles and of its clients.
SERVICE: dict[str, tuple[Setting, ...]] = {
    "HDFS": table(HDFS, """
        dfs_replication                  dfs.replication
        dfs_block_size                   dfs.blocksize                             134217728
        dfs_permissions                  dfs.permissions.enabled
        dfs_permissions_supergroup       dfs.permissions.superusergroup            supergroup
        dfs_client_use_datanode_hostname dfs.client.use.datanode.hostname
        dfs_replication_max              dfs.replication.max
        dfs_replication_min              dfs.namenode.replication.min
        dfs_maintenance_replication_min  dfs.namenode.maintenance.replication.min
        dfs_image_transfer_timeout       dfs.image.transfer.timeout
        dfs_image_transfer_bandwidthPerSec dfs.image.transfer.bandwidthPerSec
        dfs_encrypt_data_transfer        dfs.encrypt.data.transfer
        dfs_data_transfer_protection     dfs.data.transfer.protection
        dfs_ha_fencing_methods           dfs.ha.fencing.methods
    """) + table(CORE, """
        dfs_umaskmode                    fs.permissions.umask-mode                 022
        io_compression_codecs            io.compression.codecs
        hadoop_rpc_protection            hadoop.rpc.protection
        hadoop_security_authorization    hadoop.security.authorization
        hadoop_security_group_mapping    hadoop.security.group.mapping
    """) + table(CORE, _PROXY_USERS),
    "YARN": table(YARN, """
        yarn_acl_enable                  yarn.acl.enable                           true
        yarn_admin_acl                   yarn.admin.acl                            *
        yarn_log_aggregation_enable      yarn.log-aggregation-enable               true
        yarn_log_aggregation_retain_seconds yarn.log-aggregation.retain-seconds    604800
        yarn_scheduler_fair_allow_undeclared_pools yarn.scheduler.fair.allow-undeclared-pools true
        yarn_resourcemanager_nodemanager_graceful_decommission_timeout_secs yarn.resourcemanager.nodemanager-graceful-decommission-timeout-secs
    """),  # noqa: E501
    "OOZIE": table(OOZIE, """
        oozie_use_sla                    oozie.sla.service.SLAService.enabled
        oozie_sharelib_rootdir           oozie.service.WorkflowAppService.system.libpath.root /user/oozie
    """),
    "ZOOKEEPER": table(ZOO, """
        tickTime                         tickTime                                  2000
        initLimit                        initLimit                                 10
        syncLimit                        syncLimit                                 5
        autopurgeSnapRetainCount         autopurge.snapRetainCount                 5
        autopurgeInterval                autopurge.purgeInterval                   24
    """),
    **spark_properties.SERVICE,
    **store_properties.SERVICE,
}  # fmt: skip

#: Settings of one role type: they go into the files of that role.
ROLE: dict[str, tuple[Setting, ...]] = {
    "NAMENODE": table(HDFS, """
        dfs_name_dir_list                dfs.namenode.name.dir                     /dfs/nn
        dfs_namenode_edits_dir           dfs.namenode.edits.dir
        dfs_name_dir_restore             dfs.namenode.name.dir.restore
        dfs_namenode_handler_count       dfs.namenode.handler.count                10
        dfs_namenode_service_handler_count dfs.namenode.service.handler.count
        dfs_safemode_threshold_pct       dfs.namenode.safemode.threshold-pct
        dfs_safemode_min_datanodes       dfs.namenode.safemode.min.datanodes       0
        dfs_safemode_extension           dfs.namenode.safemode.extension           0
        dfs_namenode_replication_max_streams dfs.namenode.replication.max-streams
        dfs_namenode_replication_max_streams_hard_limit dfs.namenode.replication.max-streams-hard-limit
        dfs_namenode_replication_work_multiplier_per_iteration dfs.namenode.replication.work.multiplier.per.iteration
        dfs_namenode_invalidate_work_pct_per_iteration dfs.namenode.invalidate.work.pct.per.iteration
        dfs_namenode_avoid_read_stale_datanode dfs.namenode.avoid.read.stale.datanode
        dfs_namenode_avoid_write_stale_datanode dfs.namenode.avoid.write.stale.datanode
        dfs_namenode_write_stale_datanode_ratio dfs.namenode.write.stale.datanode.ratio
        dfs_namenode_stale_datanode_interval dfs.namenode.stale.datanode.interval
        dfs_access_time_precision        dfs.namenode.accesstime.precision
        fs_checkpoint_period             dfs.namenode.checkpoint.period
        fs_checkpoint_txns               dfs.namenode.checkpoint.txns
    """) + table(CORE, """
        fs_trash_interval                fs.trash.interval                         1440
        fs_trash_checkpoint_interval     fs.trash.checkpoint.interval              60
        topology_script_file_name        net.topology.script.file.name
    """),
    "JOURNALNODE": table(HDFS, """
        dfs_journalnode_edits_dir        dfs.journalnode.edits.dir                 /dfs/jn
    """),
    "SECONDARYNAMENODE": table(HDFS, """
        fs_checkpoint_dir_list           dfs.namenode.checkpoint.dir               /dfs/snn
        fs_checkpoint_period             dfs.namenode.checkpoint.period
        fs_checkpoint_txns               dfs.namenode.checkpoint.txns
    """),
    "DATANODE": table(HDFS, """
        dfs_data_dir_list                dfs.datanode.data.dir                     /dfs/dn
        dfs_datanode_data_dir_perm       dfs.datanode.data.dir.perm                700
        dfs_datanode_du_reserved         dfs.datanode.du.reserved                  1073741824
        dfs_datanode_handler_count       dfs.datanode.handler.count                3
        dfs_datanode_failed_volumes_tolerated dfs.datanode.failed.volumes.tolerated 0
        dfs_datanode_max_xcievers        dfs.datanode.max.transfer.threads         4096
        dfs_balance_bandwidthPerSec      dfs.datanode.balance.bandwidthPerSec      10485760
        dfs_datanode_use_datanode_hostname dfs.datanode.use.datanode.hostname
        dfs_datanode_readahead_bytes     dfs.datanode.readahead.bytes
        dfs_datanode_drop_cache_behind_reads dfs.datanode.drop.cache.behind.reads
        dfs_datanode_drop_cache_behind_writes dfs.datanode.drop.cache.behind.writes
        dfs_datanode_sync_behind_writes  dfs.datanode.sync.behind.writes
        dfs_datanode_volume_choosing_policy dfs.datanode.fsdataset.volume.choosing.policy
        dfs_datanode_available_space_balanced_threshold dfs.datanode.available-space-volume-choosing-policy.balanced-space-threshold
        dfs_datanode_available_space_balanced_preference dfs.datanode.available-space-volume-choosing-policy.balanced-space-preference-fraction
    """),  # noqa: E501
    "RESOURCEMANAGER": table(YARN, """
        yarn_scheduler_minimum_allocation_mb yarn.scheduler.minimum-allocation-mb  128
        yarn_scheduler_maximum_allocation_mb yarn.scheduler.maximum-allocation-mb  65536
        yarn_scheduler_increment_allocation_mb yarn.scheduler.increment-allocation-mb 64
        yarn_scheduler_minimum_allocation_vcores yarn.scheduler.minimum-allocation-vcores 1
        yarn_scheduler_maximum_allocation_vcores yarn.scheduler.maximum-allocation-vcores 32
        yarn_scheduler_increment_allocation_vcores yarn.scheduler.increment-allocation-vcores 1
        yarn_resourcemanager_scheduler_class yarn.resourcemanager.scheduler.class  org.apache.hadoop.yarn.server.resourcemanager.scheduler.fair.FairScheduler
        resourcemanager_fair_scheduler_preemption yarn.scheduler.fair.preemption   false
        resourcemanager_fair_scheduler_size_based_weight yarn.scheduler.fair.sizebasedweight false
        resourcemanager_fair_scheduler_user_as_default_queue yarn.scheduler.fair.user-as-default-queue true
        resourcemanager_fair_scheduler_assign_multiple yarn.scheduler.fair.assignmultiple true
        resourcemanager_fair_scheduler_locality_threshold_node yarn.scheduler.fair.locality.threshold.node
        resourcemanager_fair_scheduler_locality_threshold_rack yarn.scheduler.fair.locality.threshold.rack
        yarn_scheduler_fair_locality_delay_node_ms yarn.scheduler.fair.locality-delay-node-ms
        yarn_scheduler_fair_locality_delay_rack_ms yarn.scheduler.fair.locality-delay-rack-ms
        yarn_resourcemanager_am_max_retries yarn.resourcemanager.am.max-attempts   2
        yarn_resourcemanager_recovery_enabled yarn.resourcemanager.recovery.enabled
        yarn_resourcemanager_zk_timeout_ms yarn.resourcemanager.zk-timeout-ms
        yarn_resourcemanager_max_completed_applications yarn.resourcemanager.max-completed-applications
        yarn_resourcemanager_client_thread_count yarn.resourcemanager.client.thread-count 10
        yarn_resourcemanager_scheduler_client_thread_count yarn.resourcemanager.scheduler.client.thread-count 10
        yarn_resourcemanager_resource_tracker_client_thread_count yarn.resourcemanager.resource-tracker.client.thread-count 10
        yarn_resourcemanager_admin_client_thread_count yarn.resourcemanager.admin.client.thread-count 1
        yarn_resourcemanager_amliveliness_monitor_interval_ms yarn.resourcemanager.amliveliness-monitor.interval-ms
        yarn_resourcemanager_nm_liveness_monitor_interval_ms yarn.resourcemanager.nm.liveness-monitor.interval-ms
        yarn_am_liveness_monitor_expiry_interval_ms yarn.am.liveness-monitor.expiry-interval-ms
        yarn_nm_liveness_monitor_expiry_interval_ms yarn.nm.liveness-monitor.expiry-interval-ms
    """),  # noqa: E501
    "NODEMANAGER": table(YARN, """
        yarn_nodemanager_resource_memory_mb yarn.nodemanager.resource.memory-mb
        yarn_nodemanager_resource_cpu_vcores yarn.nodemanager.resource.cpu-vcores
        yarn_nodemanager_resource_percentage_physical_cpu_limit yarn.nodemanager.resource.percentage-physical-cpu-limit
        yarn_nodemanager_local_dirs      yarn.nodemanager.local-dirs               /yarn/nm
        yarn_nodemanager_log_dirs        yarn.nodemanager.log-dirs                 /var/log/hadoop-yarn/container
        yarn_nodemanager_remote_app_log_dir yarn.nodemanager.remote-app-log-dir    /tmp/logs
        yarn_nodemanager_remote_app_log_dir_suffix yarn.nodemanager.remote-app-log-dir-suffix logs
        yarn_nodemanager_log_retain_seconds yarn.nodemanager.log.retain-seconds
        yarn_nodemanager_recovery_dir    yarn.nodemanager.recovery.dir             /var/lib/hadoop-yarn/yarn-nm-recovery
        yarn_nodemanager_heartbeat_interval_ms yarn.resourcemanager.nodemanagers.heartbeat-interval-ms 250
        yarn_nodemanager_container_manager_thread_count yarn.nodemanager.container-manager.thread-count 20
        yarn_nodemanager_delete_thread_count yarn.nodemanager.delete.thread-count
        yarn_nodemanager_delete_debug_delay_sec yarn.nodemanager.delete.debug-delay-sec
        yarn_nodemanager_disk_health_checker_interval_ms yarn.nodemanager.disk-health-checker.interval-ms
        yarn_nodemanager_disk_health_checker_min_healthy_disks yarn.nodemanager.disk-health-checker.min-healthy-disks
        yarn_nodemanager_disk_health_checker_max_disk_utilization_per_disk_percentage yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage 98.0
        yarn_nodemanager_disk_health_checker_min_free_space_per_disk_mb yarn.nodemanager.disk-health-checker.min-free-space-per-disk-mb
        yarn_nodemanager_env_whitelist   yarn.nodemanager.env-whitelist            JAVA_HOME,HADOOP_COMMON_HOME,HADOOP_HDFS_HOME,HADOOP_CONF_DIR,HADOOP_YARN_HOME,HADOOP_HOME,PATH,LANG,TZ
        yarn_nodemanager_localizer_cache_target_size_mb yarn.nodemanager.localizer.cache.target-size-mb
        yarn_nodemanager_localizer_cache_cleanup_interval_ms yarn.nodemanager.localizer.cache.cleanup.interval-ms
        yarn_nodemanager_localizer_client_thread_count yarn.nodemanager.localizer.client.thread-count
        yarn_nodemanager_localizer_fetch_thread_count yarn.nodemanager.localizer.fetch.thread-count
        mapred_healthchecker_script_path yarn.nodemanager.health-checker.script.path
        mapred_healthchecker_script_args yarn.nodemanager.health-checker.script.opts
    """)  # noqa: E501
    + table(MAPRED, """
        mapreduce_shuffle_max_connections mapreduce.shuffle.max.connections
        mapreduce_shuffle_max_threads    mapreduce.shuffle.max.threads
    """),
    "JOBHISTORY": table(MAPRED, """
        yarn_app_mapreduce_am_staging_dir yarn.app.mapreduce.am.staging-dir        /user
        mapreduce_jobhistory_max_age_ms  mapreduce.jobhistory.max-age-ms
        mapreduce_jobhistory_cleaner_interval mapreduce.jobhistory.cleaner.interval-ms
    """),
    "OOZIE_SERVER": table(OOZIE, """
        oozie_service_callablequeueservice_callable_concurrency oozie.service.CallableQueueService.callable.concurrency
        oozie_service_callablequeueservice_queue_size oozie.service.CallableQueueService.queue.size
        oozie_service_callablequeueservice_threads oozie.service.CallableQueueService.threads
        purgeservice_older_than          oozie.service.PurgeService.older.than
        purgeservice_coord_older_than    oozie.service.PurgeService.coord.older.than
        purgeservice_bundle_older_than   oozie.service.PurgeService.bundle.older.than
        purgeservice_purge_old_coord_action oozie.service.PurgeService.purge.old.coord.action
        oozie_email_smtp_host            oozie.email.smtp.host
        oozie_email_smtp_prt             oozie.email.smtp.port
        oozie_email_from_address         oozie.email.from.address
    """),
    "SERVER": table(ZOO, """
        clientPort                       clientPort                                2181
        dataDir                          dataDir                                   /var/lib/zookeeper
        dataLogDir                       dataLogDir                                /var/lib/zookeeper
        maxClientCnxns                   maxClientCnxns                            60
        minSessionTimeout                minSessionTimeout                         4000
        maxSessionTimeout                maxSessionTimeout                         60000
    """),
    **spark_properties.ROLE,
    **store_properties.ROLE,
}  # fmt: skip

#: Settings of a service's gateways: they go into the client configuration.
CLIENT: dict[str, tuple[Setting, ...]] = {
    "HDFS": table(HDFS, """
        dfs_client_use_trash             dfs.client.use.trash
    """),
    "YARN": table(MAPRED, """
        mapreduce_framework_name         mapreduce.framework.name                  yarn
        mapreduce_map_memory_mb          mapreduce.map.memory.mb                   384
        mapreduce_reduce_memory_mb       mapreduce.reduce.memory.mb                384
        mapreduce_map_cpu_vcores         mapreduce.map.cpu.vcores                  1
        mapreduce_reduce_cpu_vcores      mapreduce.reduce.cpu.vcores               1
        mapreduce_map_java_opts          mapreduce.map.java.opts
        mapreduce_reduce_java_opts       mapreduce.reduce.java.opts
        mapreduce_job_heap_memory_mb_ratio mapreduce.job.heap.memory-mb.ratio      0.7
        yarn_app_mapreduce_am_resource_mb yarn.app.mapreduce.am.resource.mb        512
        yarn_app_mapreduce_am_resource_cpu_vcores yarn.app.mapreduce.am.resource.cpu-vcores 1
        yarn_app_mapreduce_am_command_opts yarn.app.mapreduce.am.command-opts      -Xmx320m
        io_sort_mb                       mapreduce.task.io.sort.mb                 64
        io_sort_factor                   mapreduce.task.io.sort.factor
        io_sort_spill_percent            mapreduce.map.sort.spill.percent
        mapred_compress_map_output       mapreduce.map.output.compress
        mapred_map_output_compression_codec mapreduce.map.output.compress.codec
        mapred_output_compress           mapreduce.output.fileoutputformat.compress
        mapred_output_compression_codec  mapreduce.output.fileoutputformat.compress.codec
        mapred_output_compression_type   mapreduce.output.fileoutputformat.compress.type
        mapred_map_tasks_speculative_execution mapreduce.map.speculative           false
        mapred_reduce_tasks_speculative_execution mapreduce.reduce.speculative     false
        mapred_reduce_parallel_copies    mapreduce.reduce.shuffle.parallelcopies
        mapred_reduce_slowstart_completed_maps mapreduce.job.reduce.slowstart.completedmaps 0.8
        mapred_reduce_tasks              mapreduce.job.reduces
        mapred_submit_replication        mapreduce.client.submit.file.replication
        mapred_task_timeout              mapreduce.task.timeout
        mapreduce_am_max_attempts        mapreduce.am.max-attempts
        mapreduce_job_ubertask_enabled   mapreduce.job.ubertask.enable
        mapreduce_job_ubertask_maxmaps   mapreduce.job.ubertask.maxmaps
        mapreduce_job_ubertask_maxreduces mapreduce.job.ubertask.maxreduces
        mapreduce_job_ubertask_maxbytes  mapreduce.job.ubertask.maxbytes
        mapreduce_job_acl_modify_job     mapreduce.job.acl-modify-job
        mapreduce_job_acl_view_job       mapreduce.job.acl-view-job
        mapreduce_job_counters_limit     mapreduce.job.counters.max
        mapreduce_job_counter_groups_limit mapreduce.job.counters.groups.max
        mapreduce_jobtracker_split_metainfo_maxsize mapreduce.job.split.metainfo.maxsize
        zlib_compress_level              zlib.compress.level
    """) + table(CORE, """
        io_file_buffer_size              io.file.buffer.size
    """),
    **spark_properties.CLIENT,
    **store_properties.CLIENT,
}  # fmt: skip

#: Snippets of XML that go verbatim to the end of a file: configuration name to file.
SAFETY_VALVES: dict[str, str] = {
    "core_site_safety_valve": CORE,
    "yarn_core_site_safety_valve": CORE,
    "hdfs_service_config_safety_valve": HDFS,
    "hdfs_client_config_safety_valve": HDFS,
    "namenode_config_safety_valve": HDFS,
    "secondarynamenode_config_safety_valve": HDFS,
    "datanode_config_safety_valve": HDFS,
    "jn_config_safety_valve": HDFS,
    "fc_config_safety_valve": HDFS,
    "yarn_service_config_safety_valve": YARN,
    "yarn_client_config_safety_valve": YARN,
    "resourcemanager_config_safety_valve": YARN,
    "nodemanager_config_safety_valve": YARN,
    "jobhistory_config_safety_valve": YARN,
    "yarn_service_mapred_safety_valve": MAPRED,
    "mapreduce_client_config_safety_valve": MAPRED,
    "resourcemanager_mapred_safety_valve": MAPRED,
    "nodemanager_mapred_safety_valve": MAPRED,
    "jobhistory_mapred_safety_valve": MAPRED,
    "oozie_config_safety_valve": OOZIE,
    **store_properties.SAFETY_VALVES,
}

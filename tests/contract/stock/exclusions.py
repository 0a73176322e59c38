# SPDX-License-Identifier: Apache-2.0
"""Stock's tests that do not apply to our parts, by reason.

A name is the test's module, class and function; what tells one version's from another's is left out of it.
"""

from __future__ import annotations

import re

MODULES = {
    "sahara_plugin_cdh.tests.unit.plugins.cdh.test_confighints_helper": "tests functions that ours uses unchanged",
    "sahara.tests.unit.service.test_volumes": "tests the search for disks, which in a container finds the host's",
    "sahara.tests.unit.utils.test_heat": "tests stock's wait for a stack, in whose place engine.stack is",
    "sahara.tests.unit.utils.openstack.test_heat": "tests stock's deletion of a stack, in whose place engine.stack is",
}

_BY_REASON = {
    "asserts what is handed to a child process, which ours does not have": """
        test_ssh_remote.TestInstanceInteropHelper.test_append_to_file
        test_ssh_remote.TestInstanceInteropHelper.test_append_to_files
        test_ssh_remote.TestInstanceInteropHelper.test_execute_on_vm_interactive
        test_ssh_remote.TestInstanceInteropHelper.test_get_os_distrib
        test_ssh_remote.TestInstanceInteropHelper.test_install_packages
        test_ssh_remote.TestInstanceInteropHelper.test_read_file_from
        test_ssh_remote.TestInstanceInteropHelper.test_replace_remote_line
        test_ssh_remote.TestInstanceInteropHelper.test_replace_remote_string
        test_ssh_remote.TestInstanceInteropHelper.test_update_repository
        test_ssh_remote.TestInstanceInteropHelper.test_write_file_to
        test_ssh_remote.TestInstanceInteropHelper.test_write_files_to
    """,
    "asserts the defect that platform.linux_distribution, gone since Python 3.8, is asked on the node": """
        test_ssh_remote.TestGetOsDistrib.test_get_os_distrib
    """,
    "tests stock's escaping for sudo bash -c, for which ours has shlex.quote": """
        test_ssh_remote.TestEscapeQuotes.test_escape_quotes
    """,
    "asserts yum for Fedora before 22, which ended in 2015, and apt-get without its questions turned off": """
        test_ssh_remote.TestInstallPackages.test_install_packages
        test_ssh_remote.TestUpdateRepository.test_update_repository
    """,
    "asserts a line in the log of a stock module": """
        test_engine.TestDeletion.test_calls_order
    """,
    "its cluster is a Mock, which is Kerberized to every CDH engine, stock's too": """
        test_oozie.TestOozieEngine.test_cancel_job
    """,
    "asserts stock's amounts of memory, which leave nothing of a small container to its own system": """
        test_provide_recommendations.TestProvidingRecommendations.test_apply_recommended_configs
        test_provide_recommendations.TestProvidingRecommendations.test_get_recommended_node_configs_medium_flavor
        test_provide_recommendations.TestProvidingRecommendations.test_get_recommended_node_configs_small_flavor
        test_plugin_utils.TestPluginUtils.test_recommend_configs
    """,
    "asserts that programs pass a node's /tmp under their own names, where two jobs overwrite each other's": """
        test_oozie.TestOozieEngine.test_hdfs_upload_job_files
    """,
    "asserts that Swift is on when nobody asked, which has every node download a library": """
        test_config_helper.ConfigHelperTestCase.test_is_swift_enabled
        test_config_helper.TestConfigHelper.test_is_swift_enabled
    """,
    "asserts calls inside stock's module, on Mocks; test_traces compares what arrives at Cloudera Manager": """
        test_deploy.DeployCDH.test__finish_cluster_starting
        test_deploy.DeployCDH.test__prepare_cluster
        test_deploy.DeployCDH.test__start_roles
        test_deploy.DeployCDH.test_configure_cluster
        test_deploy.DeployCDH.test_decommission_cluster
        test_deploy.DeployCDH.test_scale_cluster
        test_deploy.DeployCDH.test_start_cluster
    """,
    "asserts the list of ports without what ours adds; test_surface compares the lists": """
        test_deploy.DeployCDH.test_get_open_ports
    """,
    "asserts that the factory is a singleton, which ours is not": """
        test_versionfactory.VersionFactoryTestCase.test_get_instance
    """,
}

TESTS = {name: reason for reason, names in _BY_REASON.items() for name in names.split()}


def name_of(module: str, case: str, test: str) -> str:
    """The name of a test in :data:`TESTS`, whichever version it is for."""
    return f"{re.sub('_[0-9]+$', '', module)}.{re.sub('V[0-9]+$', '', case)}.{test}"

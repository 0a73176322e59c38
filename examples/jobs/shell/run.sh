#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Shell: a script that runs on one of the workers, with arguments, environment variables and files of its own. Here it
# looks for a phrase in a text in HDFS. Usage: run.sh CLUSTER
. "$(dirname "$0")/../steps.sh" "$@"

put "$text" "$dir/text"
echo "the work" >"$scratch/phrase"
openstack dataprocessing job binary create --name "$run.sh" --data "$here/find-phrase.sh"
openstack dataprocessing job binary create --name "$run-phrase" --data "$scratch/phrase"
openstack dataprocessing job template create --name "$run" --type Shell --mains "$run.sh" --libs "$run-phrase"

# YARN runs the script as a user of its own; without Kerberos, HDFS goes by the name in HADOOP_USER_NAME.
execute --args "$run-phrase" "$dir/output/lines" --params "TEXT:$dir/text" HADOOP_USER_NAME:hdfs

grep -n "the work" "$text" | check "$dir/output"

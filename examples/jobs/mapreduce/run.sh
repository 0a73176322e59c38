#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# MapReduce: classes in a jar, here those of Hadoop's own example that counts words. Usage: run.sh CLUSTER
. "$(dirname "$0")/../steps.sh" "$@"
jar=${HADOOP_EXAMPLES_JAR:-/opt/cloudera/parcels/CDH/lib/hadoop-mapreduce/hadoop-mapreduce-examples.jar}

put "$text" "$dir/input/text"
openstack dataprocessing data source create --type hdfs --url "$dir/input" "$run-input"
openstack dataprocessing data source create --type hdfs --url "$dir/output" "$run-output"
store "$run.jar" "$jar"
openstack dataprocessing job template create --name "$run" --type MapReduce --libs "$run.jar"

mapfile -t configs <"$here/configs"
execute --input "$run-input" --output "$run-output" --configs "${configs[@]}"

tr -s '[:space:]' '\n' <"$text" | sed '/^$/d' | sort | uniq -c | awk '{print $2 "\t" $1}' | check "$dir/output"

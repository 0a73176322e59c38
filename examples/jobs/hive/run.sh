#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Hive: a script with parameters. Usage: run.sh CLUSTER, one with HIVE_METASTORE and HIVE_SERVER2
. "$(dirname "$0")/../steps.sh" "$@"

put "$text" "$dir/input/text"
openstack dataprocessing data source create --type hdfs --url "$dir/input" "$run-input"
openstack dataprocessing data source create --type hdfs --url "$dir/output" "$run-output"
openstack dataprocessing job binary create --name "$run.q" --data "$here/count.q"
openstack dataprocessing job template create --name "$run" --type Hive --mains "$run.q"

execute --input "$run-input" --output "$run-output" --params LENGTH:8 "TABLE:${run//-/_}"

tr -s '[:space:]' '\n' <"$text" | awk 'length >= 8 {count[$0]++}
END {for (word in count) print word "\t" count[word]}' | check "$dir/output"

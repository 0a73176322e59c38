#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Pig: a script with parameters. Usage: run.sh CLUSTER
. "$(dirname "$0")/../steps.sh" "$@"

put "$text" "$dir/input/text"
openstack dataprocessing data source create --type hdfs --url "$dir/input" "$run-input"
openstack dataprocessing data source create --type hdfs --url "$dir/output" "$run-output"
openstack dataprocessing job binary create --name "$run.pig" --data "$here/count.pig"
openstack dataprocessing job template create --name "$run" --type Pig --mains "$run.pig"

execute --input "$run-input" --output "$run-output" --params LENGTH:8

tr -s '[:space:]' '\n' <"$text" | awk 'length >= 8 {count[substr($0, 1, 1)]++}
END {for (initial in count) print initial "\t" count[initial]}' | check "$dir/output"

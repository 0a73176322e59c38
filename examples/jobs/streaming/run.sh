#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# MapReduce.Streaming: two programs that read and write lines, in any language that the nodes have. Here they count
# words by their length. Usage: run.sh CLUSTER
. "$(dirname "$0")/../steps.sh" "$@"

put "$text" "$dir/input/text"
openstack dataprocessing data source create --type hdfs --url "$dir/input" "$run-input"
openstack dataprocessing data source create --type hdfs --url "$dir/output" "$run-output"
openstack dataprocessing job binary create --name "$run-map.py" --data "$here/map.py"
openstack dataprocessing job binary create --name "$run-reduce.py" --data "$here/reduce.py"
openstack dataprocessing job template create --name "$run" --type MapReduce.Streaming \
    --libs "$run-map.py" "$run-reduce.py"

execute --input "$run-input" --output "$run-output" --configs \
    "edp.streaming.mapper:python3 $run-map.py" "edp.streaming.reducer:python3 $run-reduce.py"

awk '{ for (i = 1; i <= NF; i++) n[length($i)]++ } END { for (k in n) print k "\t" n[k] }' "$text" |
    check "$dir/output"

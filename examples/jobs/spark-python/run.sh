#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Spark: a program in Python. Here it counts the words of a text in HDFS. Usage: run.sh CLUSTER
user=spark
. "$(dirname "$0")/../steps.sh" "$@"

put "$text" "$dir/text"
openstack dataprocessing job binary create --name "$run.py" --data "$here/word_count.py"
openstack dataprocessing job template create --name "$run" --type Spark --mains "$run.py"

# Sahara asks for a main class with Python, too, where Spark has no use for it.
execute --configs edp.java.main_class:none --args "$dir/text" "$dir/output"

awk '{ for (i = 1; i <= NF; i++) n[$i]++ } END { for (k in n) print k "\t" n[k] }' "$text" | check "$dir/output"

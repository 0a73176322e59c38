#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Spark: a main class, from Java or Scala. Here it counts the words of a text in HDFS. Usage: run.sh CLUSTER
user=spark
. "$(dirname "$0")/../steps.sh" "$@"
spark=${SPARK_JARS:-/opt/cloudera/parcels/CDH/jars}

javac -proc:none --release 8 -Xlint:-options -cp "$spark/*" -d "$scratch/classes" "$here/WordCount.java"
jar cf "$scratch/word-count.jar" -C "$scratch/classes" .

put "$text" "$dir/text"
store "$run.jar" "$scratch/word-count.jar"
openstack dataprocessing job template create --name "$run" --type Spark --mains "$run.jar"

execute --configs edp.java.main_class:WordCount --args "$dir/text" "$dir/output"

awk '{ for (i = 1; i <= NF; i++) n[$i]++ } END { for (k in n) print k "\t" n[k] }' "$text" | check "$dir/output"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Java: a main class of your own, with arguments, that runs on one of the workers. Here it picks the longest lines of a
# text in HDFS. Usage: run.sh CLUSTER
. "$(dirname "$0")/../steps.sh" "$@"
hadoop=${HADOOP_JARS:-/opt/cloudera/parcels/CDH/jars}

javac -proc:none --release 8 -Xlint:-options -cp "$hadoop/*" -d "$scratch/classes" "$here/LongestLines.java"
jar cf "$scratch/longest-lines.jar" -C "$scratch/classes" .

put "$text" "$dir/text"
store "$run.jar" "$scratch/longest-lines.jar"
openstack dataprocessing job template create --name "$run" --type Java --libs "$run.jar"

execute --configs edp.java.main_class:LongestLines --args "$dir/text" "$dir/output" 5

awk '{ print length($0) "\t" $0 }' "$text" | sort -s -n -r -k 1,1 | sed -n 1,5p | check "$dir/output"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Arguments: a file with a phrase, a file in HDFS for the result. TEXT in the environment: a file in HDFS.
set -e -o pipefail
hdfs dfs -mkdir -p "$(dirname "$2")"
hdfs dfs -cat "$TEXT" | grep -n -F -f "$1" | hdfs dfs -put - "$2"

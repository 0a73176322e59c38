#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Writes what it was given to the file in HDFS that its first argument names: a line for each value, in Base64.
set -e -o pipefail
target=$1
shift
{
    for argument in "$@"; do echo "argument $(printf %s "$argument" | base64 --wrap=0)"; done
    for name in $(compgen -e | grep '^GIVEN_' | sort); do echo "$name $(printf %s "${!name}" | base64 --wrap=0)"; done
} | hdfs dfs -put - "$target"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Program and data in an object store: a jar in Swift, text and result by S3. Usage: run.sh CLUSTER
. "$(dirname "$0")/../steps.sh" "$@"
jar=${HADOOP_EXAMPLES_JAR:-/opt/cloudera/parcels/CDH/lib/hadoop-mapreduce/hadoop-mapreduce-examples.jar}

openstack container create "$run"
openstack object create "$run" "$jar" --name examples.jar
openstack object create "$run" "$text" --name input/text

# S3's way to say who one is. It ends with this example; a job that is to run again needs one that lasts.
read -r access secret < <(openstack ec2 credentials create -f value -c access -c secret | xargs)
trap 'openstack ec2 credentials delete "$access"; rm -rf "$scratch"' EXIT
store=$(openstack catalog show object-store -f json | python3 -c 'import json, sys
print(next(one["url"] for one in json.load(sys.stdin)["endpoints"] if one["interface"] == "public"))')
store=${store%%/v1/*}

# By JSON on standard input: secrets in arguments can be read by every user of the machine.
post() { sahara "$1" -H "Content-Type: application/json" --data-binary @- >/dev/null; }
post /job-binaries <<EOF
{"name": "$run.jar", "url": "swift://$run/examples.jar", "extra": {"user": "$OS_USERNAME", "password": "$OS_PASSWORD"}}
EOF
for name in input output; do
    post /data-sources <<EOF
{"name": "$run-$name", "type": "s3", "url": "s3a://$run/$name", "credentials": {"accesskey": "$access",
 "secretkey": "$secret", "endpoint": "$store", "bucket_in_path": true, "ssl": $([[ $store == https:* ]] && echo true || echo false)}}
EOF
done
openstack dataprocessing job template create --name "$run" --type MapReduce --libs "$run.jar"

# Swift's region for S3, which Hadoop cannot find out and which has no place in a data source.
mapfile -t configs < <(cat "$here/../mapreduce/configs"; echo fs.s3a.endpoint.region:us-east-1)
execute --input "$run-input" --output "$run-output" --configs "${configs[@]}"

show() {
    local name
    for name in $(openstack object list "$run" --prefix "$1/part-" -f value -c Name); do
        openstack object save "$run" "$name" --file -
    done
}
tr -s '[:space:]' '\n' <"$text" | sed '/^$/d' | sort | uniq -c | awk '{print $2 "\t" $1}' | check output

# SPDX-License-Identifier: Apache-2.0
# The steps that every example takes, for Bash. Sourced with the name of a cluster: . ../steps.sh CLUSTER
#
# Needs the variables of an openrc, `openstack` with python-saharaclient, curl and python3; and that the cluster's HDFS
# can be reached from here: the NameNode's port 50070 and the DataNodes' 50075.

set -euo pipefail
export LC_ALL=C.UTF-8  # sort and awk as in the check, whatever the user speaks

cluster=${1:?usage: run.sh CLUSTER}
here=$(cd "$(dirname "$0")" && pwd)
# Goes into every name that an example gives, so that it can be run again, and twice at once.
run=$(basename "$here")-$(date +%m%d-%H%M%S)-$$
# Whom the cluster runs the job as: Oozie's run as hdfs.
user=${user:-hdfs}
dir=/user/$user/examples/$run
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

say() { echo "-- $*" >&2; }

# A value out of the JSON on standard input: json KEY...
json() {
    python3 -c 'import functools, json, sys
print(functools.reduce(lambda part, key: part[key], sys.argv[1:], json.load(sys.stdin)))' "$@"
}

# What has no command in the client goes to Sahara's API: sahara PATH [CURL'S OPTIONS]
read -r token project < <(openstack token issue -f value -c id -c project_id | xargs)
endpoint=$(openstack catalog show data-processing -f json | python3 -c 'import json, sys
print(next(one["url"] for one in json.load(sys.stdin)["endpoints"] if one["interface"] == "public"))')
endpoint=${endpoint%%/v1.1*}/v1.1/$project
sahara() {
    local path=$1
    shift
    curl -sS --fail-with-body -H @<(echo "X-Auth-Token: $token") "$@" "$endpoint$path"
}

# Store a program in Sahara's own database under a name: store NAME FILE
# The client's `job binary create --data FILE` does it for scripts; it reads a file as text, so a jar has to go this way.
store() {
    local id
    id=$(sahara "/job-binary-internals/$1" -T "$2" -H "Content-Type: application/octet-stream" |
        json job_binary_internal id)
    openstack dataprocessing job binary create --name "$1" --url "internal-db://$id" -f value -c Id >/dev/null
}

# Run a job to its end: execute [OPTIONS OF `job execute`]
# The job template is called $run. A job that fails ends the example, with what Sahara knows about the cause.
execute() {
    local job status="" seen
    job=$(openstack dataprocessing job execute --cluster "$cluster" --job-template "$run" "$@" |
        sed -n 's/^Job "\(.*\)" has been started.*/\1/p')
    say "job $job"
    for _ in $(seq 300); do
        # With refresh-status Sahara looks at the job now; `job show` tells what it saw at its last round.
        seen=$(sahara "/job-executions/$job/refresh-status")
        if [ "$(json job_execution info status <<<"$seen")" != "$status" ]; then
            status=$(json job_execution info status <<<"$seen")
            say "$status"
        fi
        case $status in
            SUCCEEDED) return ;;
            FAILED | KILLED | DONEWITHERROR) json job_execution info <<<"$seen" >&2; exit 1 ;;
        esac
        sleep 2
    done
    say "the job has not ended"
    exit 1
}

# HDFS over WebHDFS. Its NameNode sends a client on to a DataNode, by a name that only the cluster's nodes can resolve.
nodes=$(sahara /clusters | python3 -c 'import json, sys
for cluster in json.load(sys.stdin)["clusters"]:
    if cluster["name"] == sys.argv[1]:
        for group in cluster["node_groups"]:
            for node in group["instances"]:
                print(node["instance_name"], node["management_ip"], *group["node_processes"])' "$cluster")
declare -A address
namenodes=()
while read -r name ip processes; do
    address[$name]=$ip
    if [[ $processes == *HDFS_NAMENODE* ]]; then namenodes+=("$ip"); fi
done <<<"$nodes"
[ ${#namenodes[@]} -gt 0 ] || { say "no cluster $cluster with HDFS"; exit 1; }

# webhdfs METHOD PATH OPERATION [CURL'S OPTIONS]
webhdfs() {
    local url
    url="http://$namenode:50070/webhdfs/v1$2?op=$3&user.name=$user"
    curl -sS --fail-with-body -X "$1" "${@:4}" "$url"
}

# In a pair of NameNodes the one that stands by refuses.
for namenode in "${namenodes[@]}"; do
    if webhdfs GET / GETFILESTATUS >/dev/null 2>&1; then break; fi
done

# The address of the DataNode that serves an operation on a file.
at_datanode() {
    local url host
    url=$(webhdfs "$1" "$2" "$3" -o /dev/null -w '%{redirect_url}')
    host=${url#http://}
    host=${host%%[:/]*}
    echo "${url/$host/${address[${host%%.*}]}}"
}

# put FILE PATH
put() { curl -sS --fail-with-body -T "$1" "$(at_datanode PUT "$2" CREATE)"; }

# All files of a directory, one after the other: show PATH
show() {
    local file
    for file in $(webhdfs GET "$1" LISTSTATUS | python3 -c 'import json, sys
for one in json.load(sys.stdin)["FileStatuses"]["FileStatus"]:
    if one["length"]: print(one["pathSuffix"])'); do
        curl -sS --fail-with-body "$(at_datanode GET "$1/$file" OPEN)"
    done
}

# Compare the result with what standard input expects: check PATH
check() {
    show "$1" | sort >"$scratch/found"
    sort >"$scratch/expected"
    diff "$scratch/expected" "$scratch/found" >&2
    cat "$scratch/found"
    say "$1 is as expected"
}

# The text that the examples work on.
text=$here/../../../LICENSE

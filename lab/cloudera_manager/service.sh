# SPDX-License-Identifier: Apache-2.0
# Start, stop and status of one Python module as a service. The sourcing script sets NAME, MODULE, START_SECONDS and
# STOP_SECONDS.

PIDFILE=/run/$NAME/$NAME.pid
LOGDIR=/var/log/$NAME
LOGFILE=$LOGDIR/$NAME.log
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
[ ! -r "/etc/default/$NAME" ] || . "/etc/default/$NAME"

# Exit status 0 and the pid on standard output when the service runs. A pid file that a crash left behind may name
# another process meanwhile, so the command line has to be ours.
running_pid() {
    [ -r "$PIDFILE" ] || return 1
    read -r pid < "$PIDFILE" || return 1
    tr '\0' ' ' 2> /dev/null < "/proc/$pid/cmdline" | grep -q -- "-m $MODULE " || return 1
    echo "$pid"
}

run_module() {
    PYTHONPATH=/opt/cloudera-manager python3 -m "$MODULE" "$@"
}

start_service() {
    if pid=$(running_pid); then
        echo "$NAME runs already (pid $pid)."
        return 0
    fi
    if [ "$(id -u)" != 0 ]; then
        echo "$NAME: only root can start it." >&2
        return 4
    fi
    mkdir -p "/run/$NAME" "$LOGDIR" "/var/lib/$NAME" || return 1
    # Standard input and output are not the caller's, so that a remote shell does not wait for the service to end. The
    # service writes its pid file when it is ready, so a wrong configuration or a taken port is known here.
    rm -f "$PIDFILE"
    PYTHONPATH=/opt/cloudera-manager setsid python3 -m "$MODULE" --pidfile "$PIDFILE" < /dev/null >> "$LOGFILE" 2>&1 &
    child=$!
    left=$((START_SECONDS * 20))
    while ! pid=$(running_pid) && kill -0 "$child" 2> /dev/null && [ "$left" -gt 0 ]; do
        sleep 0.05
        left=$((left - 1))
    done
    if [ -z "$pid" ]; then
        echo "$NAME did not start; the end of $LOGFILE:" >&2
        tail -n 5 "$LOGFILE" >&2
        return 1
    fi
    echo "Starting $NAME: pid $pid"
}

stop_service() {
    if ! pid=$(running_pid); then
        rm -f "$PIDFILE"
        echo "$NAME does not run."
        return 0
    fi
    kill -TERM "$pid" || return 1
    left=$((STOP_SECONDS * 10))
    while [ -n "$(running_pid)" ] && [ "$left" -gt 0 ]; do
        sleep 0.1
        left=$((left - 1))
    done
    if [ -n "$(running_pid)" ]; then
        echo "$NAME did not stop in $STOP_SECONDS s; killed." >&2
        kill -KILL "$pid" || return 1
    fi
    rm -f "$PIDFILE"
    echo "Stopped $NAME."
}

service_status() {
    if pid=$(running_pid); then
        echo "$NAME is running (pid $pid)."
        return 0
    fi
    if [ -e "$PIDFILE" ]; then
        echo "$NAME is dead and its pid file exists."
        return 1
    fi
    echo "$NAME is not running."
    return 3
}

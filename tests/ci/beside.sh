# Sourced by ./dev: jobs that are done one after the other in the background, with the processor time that the
# foreground leaves.

jobs_folder=$state/beside
lane= # the process (and its group) that does them

# beside NAME:FUNCTION...: starts them.
beside() {
    rm -rf "$jobs_folder"
    mkdir -p "$jobs_folder"
    set -m # a process group of its own, so that it can be ended with all that it started
    do_jobs "$@" </dev/null &
    lane=$!
    set +m
    trap 'kill -- -"$lane" 2>/dev/null' EXIT
    trap 'exit 130' INT TERM
}

do_jobs() {
    local job name
    renice -n 15 "$BASHPID" >/dev/null
    # Nobody watches yet: result_of() reads the steps from the log.
    progress() { NINJA_STATUS='@%f/%t ' "${@:2}"; }
    for job; do
        name=${job%%:*}
        "${job#*:}" >"$jobs_folder/$name.log" 2>&1
        echo $? >"$jobs_folder/$name.new"
        mv "$jobs_folder/$name.new" "$jobs_folder/$name.result"
    done
}

# result_of NAME: waits for the job, prints what it printed and returns what it returned.
result_of() {
    local log=$jobs_folder/$1.log result=$jobs_folder/$1.result
    progress --log /dev/null "$1" bash -c '
        tail -n 1 -F "$0" 2>/dev/null &
        until [[ -e $1 ]] || ! kill -0 "$2" 2>/dev/null; do sleep 0.2; done
        kill $!' "$log" "$result" "$lane"
    [[ ! -e $log ]] || grep -Ev '^@[0-9]+/[0-9]+ ' "$log"
    [[ -e $result ]] && return "$(<"$result")"
}

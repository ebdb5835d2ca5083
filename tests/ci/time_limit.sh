# Sourced by what ./dev checks with. Where TBS_TEST_UNTIL is set (seconds since 1970), what has no time before then is
# skipped, named and counted: a machine several times as slow as usual tells what it can, and ends.

# time_for MINUTES RESULTS NAME: whether so many are left; else NAME is skipped.
time_for() {
    local left=$((${TBS_TEST_UNTIL:-9999999999} - $(date +%s)))
    ((left < $1 * 60)) || return 0
    say "SKIPPED for want of time: $3"
    echo "0 0 1 $3: no time" >>"$2"
    return 1
}

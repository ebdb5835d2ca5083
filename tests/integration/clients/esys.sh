#!/usr/bin/env bash
# ESYS from C: one process with 50 keys and 10 sessions, then four of them at once.
. "$(dirname "$0")/flow.sh"
need "${TBS_TEST_ESYS_PROGRAM:-esys_program}"
start_tbsd

step "one process"
export TSS2_LOG=all+none # Errors are provoked.
"$TBS_TEST_ESYS_PROGRAM" "tbs:$socket"

step "four at once"
pids=()
for i in 1 2 3 4; do
    "$TBS_TEST_ESYS_PROGRAM" "tbs:$socket" &
    pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || fail "a process failed"; done

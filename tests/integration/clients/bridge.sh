# shellcheck shell=bash disable=SC2034,SC2154
# For flows whose clients reach the TPM through tbsctl bridge; to be sourced after flow.sh.

# start_bridge OPTION...: $first and $second become the addresses of its channels.
start_bridge() {
    local log
    background "bridge${#started[@]}" "$TBS_TEST_TBSCTL" --json bridge "$@"
    bridge_pid=$!
    log=$folder/bridge$((${#started[@]} - 1)).log
    eventually grep -q '^}' "$log" || fail "the bridge does not listen: $(cat "$log")"
    first=$(sed -n 's/.*"listen": "\(.*\)".*/\1/p' "$log")
    second=$(sed -n 's/.*"control": "\(.*\)".*/\1/p' "$log")
}

# A persistent one ends here, so that no context stays open.
stop_bridge() {
    kill "$bridge_pid"
    wait "$bridge_pid" || fail "the bridge ends with $?"
}

#!/usr/bin/env bash
# tpm2-tools: eight flows at the same time on one tbsd, each in processes of its own.
. "$(dirname "$0")/flow.sh"
need tpm2_create openssl
rights_of_user=(--lockout-per-user 100 --lockout-total 100 --nv-bytes-per-user 8192 --nv-indices-per-user 32)
start_tbsd

step "eight flows at once"
flows=(keys keys seal nv nv attest duplicate sequences)
pids=()
for i in "${!flows[@]}"; do
    TBS_FLOW_SOCKET=$socket TBS_FLOW_NUMBER=$((i + 1)) "$here/tools_${flows[i]}.sh" \
        >"$folder/$i-${flows[i]}.log" 2>&1 &
    pids+=($!)
done
failed=
for i in "${!flows[@]}"; do
    wait "${pids[i]}" || failed+=" ${flows[i]}"
done
[[ -z $failed ]] || fail "failed:$failed"

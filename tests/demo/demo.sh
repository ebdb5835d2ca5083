#!/usr/bin/env bash
# Shows the main job: the daemon on the embedded TPM, and real clients. Everything it starts and
# writes is in a folder of its own and gone afterwards.
set -euo pipefail

build=${TBS_BUILD:?the build folder}
folder=$(mktemp -d)
export TBS_SOCKET=$folder/tbsd.sock
tbsctl=$build/client/tbsctl/tbsctl

cleanup() {
    [[ -z ${daemon:-} ]] || { kill "$daemon" && wait "$daemon"; } 2>/dev/null || true
    rm -rf "$folder"
}
trap cleanup EXIT

echo "Starting tbsd on the embedded TPM, state in $folder/tpm"
"$build/daemon/tbsd" --config /dev/null --device "embedded:$folder/tpm" --state-dir "$folder" \
    --socket "$TBS_SOCKET" &
daemon=$!
for _ in $(seq 100); do
    [[ ! -S $TBS_SOCKET ]] || break
    sleep 0.05
done

echo
"$tbsctl" info
"$build/tests/demo/main_job"

echo
echo "The example of the README"
"$build/docs/examples/example_cancel"

echo
echo "What the daemon counted"
"$tbsctl" status

kill "$daemon"
wait "$daemon"
daemon=
echo
echo "Done: tbsd ended in good order."

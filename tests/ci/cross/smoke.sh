#!/bin/sh
# The daemon of a cross build on the embedded TPM, and its client. Under the emulator there is no filter of
# system calls, and a program cannot start another one of its kind: a script does it for it.
#   smoke.sh BUILD [EMULATOR]
set -eu
build=$1 emulator=${2:-} folder=$(mktemp -d) daemon=
trap 'status=$?; [ -z "$daemon" ] || kill "$daemon" 2>/dev/null || :; rm -rf "$folder"; exit $status' EXIT

cp "$build/daemon/tbsd" "$folder/tbsd"
printf '#!/bin/sh\nexec %s "%s" "$@"\n' "$emulator" "$build/daemon/tbsd-embedded-tpm" >"$folder/tbsd-embedded-tpm"
chmod +x "$folder/tbsd-embedded-tpm"
seccomp=yes
[ -z "$emulator" ] || seccomp=no
$emulator "$folder/tbsd" --config /dev/null --device embedded --socket "$folder/socket" --state-dir "$folder" \
    --seccomp "$seccomp" >"$folder/log" 2>&1 &
daemon=$!

fail() {
    echo "smoke: $*" >&2
    cat "$folder/log" >&2
    exit 1
}
ask() { TBS_SOCKET=$folder/socket $emulator "$build/client/tbsctl/tbsctl" "$@"; }

# The first start makes the TPM's keys; an emulated one takes a while.
for _ in $(seq 300); do
    [ ! -S "$folder/socket" ] || break
    kill -0 "$daemon" 2>/dev/null || fail "the daemon ended"
    sleep 0.2
done
ask random 16 >"$folder/random" || fail "tbsctl random: $(cat "$folder/random")"
ask pcr sha256:0 >"$folder/pcr" || fail "tbsctl pcr"
grep -q '0000000000000000000000000000000000000000000000000000000000000000' "$folder/pcr" ||
    fail "PCR 0 is not what it is after the start: $(cat "$folder/pcr")"
for question in info status limits contexts id; do
    ask "$question" >"$folder/$question" || fail "tbsctl $question"
done
cat "$folder/info"
! grep -q 'runs without' "$folder/log" || fail "the daemon has no filter of system calls"

kill -TERM "$daemon"
code=0
wait "$daemon" || code=$?
daemon=
[ "$code" -eq 0 ] || fail "the daemon ended with $code"
echo "smoke: ok"

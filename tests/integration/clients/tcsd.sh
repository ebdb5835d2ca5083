#!/usr/bin/env bash
# The TrouSerS daemon and tpm-tools with a TPM 1.2: ownership, sealed data, NV memory. tcsd speaks to a
# TPM over a socket and connects anew for every command, so `tbsctl bridge --persistent` stands between.
# It leaves root for the user tss, whose its folder has to be.
. "$(dirname "$0")/flow.sh"
family=1.2
PATH=$PATH:/usr/sbin:/sbin
need tcsd tpm_takeownership tpm_sealdata python3
[[ $EUID == 0 ]] && id tss >/dev/null 2>&1 || {
    echo "$flow: tcsd wants to be started by root, and a user tss"
    exit $kSkipped
}

keeps_root=yes # for tcsd, which gives it up by itself; the bridge is the client
start_tbsd

step "tcsd on a bridge"
chmod 755 "$folder"
bridge_socket=$client_folder/bridge.sock
background bridge client_tbsctl bridge --persistent --mode 0666 "$bridge_socket"
bridge_pid=$!
eventually test -S "$bridge_socket" || fail "the bridge does not start"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
install -d -o tss -g tss -m 700 "$folder/ps"
printf 'port = %s\nsystem_ps_file = %s\n' "$port" "$folder/ps/system.data" >"$folder/tcsd.conf"
chown root:tss "$folder/tcsd.conf"
chmod 640 "$folder/tcsd.conf"
# No TPM listens on port 9, so it takes the Unix socket.
export TCSD_USE_TCP_DEVICE=1 TCSD_TCP_DEVICE_PORT=9 TCSD_UN_SOCKET_DEVICE_PATH=$bridge_socket
export TSS_TCSD_PORT=$port
background tcsd tcsd -f -e -c "$folder/tcsd.conf"
serves() { tpm_version >/dev/null 2>&1; }
eventually serves || fail "tcsd does not start"

step "ownership"
prints "TPM 1.2 Version Info" sh -c "tpm_version | tr -d '\\0'"
tpm_createek >/dev/null || true # swtpm and the embedded TPM have none at first, a chip has
tpm_takeownership -y -z
refused "Owner" tpm_takeownership -y -z

step "sealed data"
head -c 200 /dev/urandom >plain
tpm_sealdata -z -i plain -o sealed
tpm_unsealdata -z -i sealed -o unsealed
cmp plain unsealed

step "more programs at once than the TPM has keys and sessions for"
work() {
    local round
    for round in 1 2 3; do
        tpm_sealdata -z -i plain -o "sealed.$1" || return
        tpm_unsealdata -z -i "sealed.$1" -o "unsealed.$1" || return
        cmp plain "unsealed.$1" || return
    done
}
workers=()
for i in 1 2 3 4 5 6; do
    work "$i" &
    workers+=($!)
done
for worker in "${workers[@]}"; do wait "$worker" || fail "a program failed"; done

step "NV memory"
tpm_nvdefine -i 1 -s 32 -p 'OWNERREAD|OWNERWRITE' -y
printf 'hello' >data
tpm_nvwrite -i 1 -s 5 -f data -z
tpm_nvread -i 1 -s 5 -f read -z
cmp data read

kill "$bridge_pid"

#!/usr/bin/env bash
# An encrypted disk that systemd unlocks by the TPM: enrolled by systemd-cryptenroll, opened by
# systemd-cryptsetup as at boot. That takes the kernel's device-mapper with dm-crypt.
. "$(dirname "$0")/flow.sh"
cryptsetup_of_systemd=/usr/lib/systemd/systemd-cryptsetup
need cryptsetup dmsetup tpm2_pcrextend systemd-cryptenroll "$cryptsetup_of_systemd"
((EUID == 0)) || { echo "$flow: needs root" && exit $kSkipped; }
dmsetup targets 2>/dev/null | grep -q '^crypt ' || {
    echo "$flow: this kernel has no device-mapper with dm-crypt"
    exit $kSkipped
}
# Nobody answers to device-mapper's events where no udev runs.
[[ -e /run/udev/control ]] || export DM_DISABLE_UDEV=1
# Else libcryptsetup's token module is asked first, which opens /dev/tpmrm0 whatever was configured. In
# a guest it is not there, so that nothing but tbsd can reach the TPM.
export SYSTEMD_CRYPTSETUP_USE_TOKEN_MODULE=0
[[ -z ${TBS_GUEST:-} ]] || rm -f /dev/tpmrm0
start_tbsd
volume=tbs-flow-$$
# No volume stays behind, however the flow ends.
at_the_end() {
    local left
    for left in "/dev/mapper/$volume"*; do
        [[ ! -e $left ]] || "$cryptsetup_of_systemd" detach "${left##*/}"
    done
}

# Without a prompt: a volume that the TPM does not open stays closed.
attach_as() {
    timeout 120 "$cryptsetup_of_systemd" attach "$1" "$folder/$2" - \
        "tpm2-device=tbs:$socket,headless=1"
}
attach() { attach_as "$volume" disk; }
detach() { "$cryptsetup_of_systemd" detach "$volume"; }
enroll() {
    PASSWORD=passphrase systemd-cryptenroll --wipe-slot=tpm2 --tpm2-device="tbs:$socket" "$@" disk
}

# What the disk is bound to.
measure() {
    tpm2_pcrreset -Q 16
    tpm2_pcrextend -Q "16:sha256=$(echo "$1" | sha256sum | cut -d' ' -f1)"
}

step "a volume, with a key in the TPM beside the passphrase"
measure "the system"
truncate -s 32M disk
echo -n "passphrase" >passphrase
cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 disk passphrase
enroll --tpm2-pcrs=16
cryptsetup luksDump disk | grep -q systemd-tpm2 || fail "no token in the header"

step "unlocked, written to, locked, unlocked again, and the data are there"
attach
head -c 100000 /dev/urandom >data
dd if=data of="/dev/mapper/$volume" conv=fsync status=none
detach
[[ ! -e /dev/mapper/$volume ]] || fail "the volume is still there"
attach
cmp -n 100000 data "/dev/mapper/$volume"
detach

step "with a PIN"
NEWPIN=1234 enroll --tpm2-pcrs=16 --tpm2-with-pin=yes
PIN=1234 attach
cmp -n 100000 data "/dev/mapper/$volume"
detach
if PIN=4321 attach; then fail "unlocked with a wrong PIN"; fi
enroll --tpm2-pcrs=16

step "a PCR that has changed keeps it locked"
measure "another system"
if attach; then fail "unlocked, though the PCR has changed"; fi
measure "the system"
attach
detach

step "four volumes at a time"
pids=()
for i in 1 2 3 4; do
    cp disk "disk.$i"
    attach_as "$volume-$i" "disk.$i" &
    pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || fail "not all were unlocked"; done
for i in 1 2 3 4; do cmp -n 100000 data "/dev/mapper/$volume-$i"; done
at_the_end

#!/usr/bin/env bash
# systemd-creds: credentials sealed to the TPM. systemd names the module by the TCTI's name.
. "$(dirname "$0")/flow.sh"
need systemd-creds tpm2_pcrextend
start_tbsd
device_of_ours=tbs:$socket

# As firmware does; systemd warns of PCRs that nothing was measured into.
for_administrators tpm2_pcrextend -Q "7:sha256=$(sha256sum </dev/null | cut -d' ' -f1)"

step "encrypt and decrypt a credential"
echo "the secret" >secret
systemd-creds --with-key=tpm2 --tpm2-device="$device_of_ours" --tpm2-pcrs=7 --name=test \
    encrypt secret sealed
systemd-creds --tpm2-device="$device_of_ours" --name=test decrypt sealed - | cmp - secret

step "bound to a PCR, which changes"
tpm2_pcrreset -Q 23
systemd-creds --with-key=tpm2 --tpm2-device="$device_of_ours" --tpm2-pcrs=23 --name=test \
    encrypt secret sealed
systemd-creds --tpm2-device="$device_of_ours" --name=test decrypt sealed - | cmp - secret
tpm2_pcrextend -Q "23:sha256=$(sha256sum secret | cut -d' ' -f1)"
refused "" systemd-creds --tpm2-device="$device_of_ours" --name=test decrypt sealed -

step "a disk's key"
if [[ -n $(type -P cryptsetup) && -n $(type -P systemd-cryptenroll) ]]; then
    truncate -s 32M disk
    echo -n "passphrase" >passphrase
    cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 disk passphrase
    PASSWORD=passphrase systemd-cryptenroll --tpm2-device="$device_of_ours" --tpm2-pcrs=7 disk
    prints systemd-tpm2 cryptsetup luksDump disk || fail "no token in the header"
else
    echo "$flow: cryptsetup is not installed; this step is left out"
fi

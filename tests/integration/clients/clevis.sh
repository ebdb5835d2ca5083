#!/usr/bin/env bash
# clevis: secrets that the TPM opens, with and without PCRs.
. "$(dirname "$0")/flow.sh"
need clevis clevis-encrypt-tpm2
start_tbsd

step "encrypt and decrypt"
echo "the secret" >secret
clevis encrypt tpm2 '{}' <secret >plain.jwe
clevis decrypt <plain.jwe | cmp - secret

step "with an RSA key and PCRs; a changed PCR refuses"
tpm2_pcrreset -Q 23
clevis encrypt tpm2 '{"key":"rsa","pcr_bank":"sha256","pcr_ids":"7,23"}' <secret >pcr.jwe
clevis decrypt <pcr.jwe | cmp - secret
tpm2_pcrextend -Q "23:sha256=$(sha256sum secret | cut -d' ' -f1)"
refused "" clevis decrypt <pcr.jwe
tpm2_pcrreset -Q 23
clevis decrypt <pcr.jwe | cmp - secret

step "four at once"
pids=()
for i in 1 2 3 4; do
    (clevis encrypt tpm2 '{}' <secret | clevis decrypt | cmp - secret) &
    pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || fail "a process failed"; done

#!/usr/bin/env bash
# tpm2-tools: digests and HMACs of data that takes many buffers, so that a sequence object lives on
# the TPM between commands, alone and beside others.
. "$(dirname "$0")/flow.sh"
need tpm2_hash openssl
start_tbsd

head -c 100000 /dev/urandom >large
head -c 1025 /dev/urandom >two-buffers
echo -n x >small
: >empty

step "digests as OpenSSL computes them"
for data in large two-buffers small empty; do
    for algorithm in sha1 sha256 sha384 sha512; do
        tpm2_hash -C o -g $algorithm --hex -o digest $data
        openssl dgst -$algorithm -r $data | cut -d' ' -f1 | cmp - <(cat digest && echo)
    done
done

step "HMACs as OpenSSL computes them"
head -c 32 /dev/urandom >hmac.key
tpm2_createprimary -Q -C o -c primary.ctx
tpm2_import -Q -C primary.ctx -G hmac -i hmac.key -u hmac.pub -r hmac.priv
tpm2_load -Q -C primary.ctx -u hmac.pub -r hmac.priv -c hmac.ctx
for data in large two-buffers small; do
    tpm2_hmac -c hmac.ctx -g sha256 --hex -o digest $data
    openssl dgst -sha256 -mac HMAC -macopt hexkey:"$(xxd -p -c 100 hmac.key)" -r $data |
        cut -d' ' -f1 | cmp - <(cat digest && echo)
done

step "six sequences at once"
running=()
for i in 1 2 3; do
    tpm2_hash -C o -g sha256 --hex -o digest$i large &
    running+=($!)
    tpm2_hmac -c hmac.ctx -g sha256 --hex -o hmac$i large &
    running+=($!)
done
for pid in "${running[@]}"; do wait "$pid"; done
for i in 1 2 3; do
    [[ $(cat digest$i) == "$(sha256sum large | cut -d' ' -f1)" ]] || fail "wrong digest $i"
    cmp hmac1 hmac$i
done

step "a measurement of many buffers"
tpm2_pcrreset -Q 16
tpm2_pcrevent -Q 16 large
{ head -c 32 /dev/zero && openssl dgst -sha256 -binary large; } | sha256sum |
    cut -d' ' -f1 >expected
tpm2_pcrread -Q sha256:16 -o pcr
xxd -p -c 64 pcr | cmp - expected
tpm2_pcrreset -Q 16

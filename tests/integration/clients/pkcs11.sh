#!/usr/bin/env bash
# tpm2-pkcs11: a token with RSA and EC keys made by OpenSC's pkcs11-tool and GnuTLS's p11tool, which
# sign and decrypt in parallel processes.
. "$(dirname "$0")/flow.sh"
module=/usr/lib/x86_64-linux-gnu/libtpm2_pkcs11.so.1
need tpm2_ptool pkcs11-tool p11tool openssl $module
start_tbsd
export TPM2_PKCS11_STORE=$folder/store TPM2_PKCS11_LOG_LEVEL=0
mkdir "$TPM2_PKCS11_STORE"
processes=8

p11() { pkcs11-tool --module "$module" --token-label tbs --login --pin 123456 "$@" 2>>p11.log; }

step "a token"
tpm2_ptool init --path "$TPM2_PKCS11_STORE" >/dev/null
tpm2_ptool addtoken --pid 1 --label tbs --userpin 123456 --sopin 654321 \
    --path "$TPM2_PKCS11_STORE" >/dev/null
prints tbs pkcs11-tool --module "$module" --list-token-slots 2>>p11.log

step "keys: of pkcs11-tool and of tpm2_ptool"
p11 --keypairgen --key-type rsa:2048 --id 01 --label rsa >/dev/null
p11 --keypairgen --key-type EC:prime256v1 --id 02 --label ec >/dev/null
tpm2_ptool addkey --algorithm ecc384 --label tbs --userpin 123456 --key-label second \
    --path "$TPM2_PKCS11_STORE" >/dev/null
for key in rsa ec; do
    p11 --read-object --type pubkey --label $key -o $key.der >/dev/null
    openssl pkey -pubin -inform DER -in $key.der -out $key.pem
done
prints second p11 --list-objects
prints "token=tbs" p11tool --provider="$module" --list-tokens 2>>p11.log
GNUTLS_PIN=123456 p11tool --provider="$module" --login --list-all "pkcs11:token=tbs" 2>>p11.log |
    grep -q "object=rsa"

step "a wrong PIN is refused"
refused "CKR_PIN_INCORRECT" pkcs11-tool --module "$module" --token-label tbs --login --pin 000000 \
    --list-objects

step "the TPM's random numbers"
[[ $(p11 --generate-random 32 | wc -c) == 32 ]] || fail "not 32 random bytes"

# One process of several: signs with both keys, and decrypts.
work() {
    local n=$1 round
    for round in 1 2; do
        echo "message $n $round" >"text$n"
        p11 --sign --mechanism SHA256-RSA-PKCS --id 01 -i "text$n" -o "rsa$n.sig" >/dev/null
        openssl dgst -sha256 -verify rsa.pem -signature "rsa$n.sig" "text$n"
        openssl dgst -sha256 -binary -out "digest$n" "text$n"
        p11 --sign --mechanism ECDSA --signature-format openssl --id 02 -i "digest$n" \
            -o "ec$n.sig" >/dev/null
        openssl pkeyutl -verify -pubin -inkey ec.pem -in "digest$n" -sigfile "ec$n.sig"
        openssl pkeyutl -encrypt -pubin -inkey rsa.pem -in "text$n" -out "secret$n"
        p11 --decrypt --mechanism RSA-PKCS --id 01 -i "secret$n" -o "clear$n" >/dev/null
        cmp "text$n" "clear$n"
    done
}

step "$processes processes sign and decrypt at once"
pids=()
for ((n = 0; n < processes; n++)); do
    (work "$n") >"work$n.log" 2>&1 &
    pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || fail "a process failed"; done
[[ $(cat work*.log | grep -c "Verified") == $((processes * 2 * 2)) ]] || fail "signatures are missing"

#!/usr/bin/env bash
# Programs that live on while tbsd is stopped, killed and started anew on the same TPM: ESYS, FAPI,
# PKCS#11, and a TLS server that forks.
. "$(dirname "$0")/flow.sh"
. "$(dirname "$0")/keystore.sh"
module=/usr/lib/x86_64-linux-gnu/libtpm2_pkcs11.so.1
need "${TBS_TEST_FAPI_PROGRAM:-fapi_program}" /usr/bin/python3 openssl tpm2_ptool $module $profiles /usr/lib/x86_64-linux-gnu/ossl-modules/tpm2.so
/usr/bin/python3 -c "import tpm2_pytss" 2>/dev/null || { echo "$flow: tpm2-pytss is not installed" && exit $kSkipped; }
embedded_tpm=embedded:$folder/embedded
mkdir "$folder/embedded"
prepare_for_user() { provision_for_user; }
start_tbsd
export TSS2_LOG=all+none # Errors are provoked.

keystore=$(keystore_of_user)
if administrator; then
    fapi_config P_ECCP256SHA256 "$keystore" "$socket"
    TSS2_FAPICONF=$keystore/config.json "$TBS_TEST_FAPI_PROGRAM" provision
fi
mkdir store
configure_openssl
export TSS2_FAPICONF=$keystore/config.json TPM2_PKCS11_STORE=$folder/store TPM2_PKCS11_LOG_LEVEL=0

# A client works, says so, and works again after each restart.
clients=()
client() { exec env OPENSSL_CONF="$2" /usr/bin/python3 "$here/restart.py" "$1" "$socket"; }

start_clients() { # OPENSSL_CONF NAME...
    local name
    for name in "${@:2}"; do
        background "$name" client "$name" "$1"
        clients+=("$name")
    done
    all_have_done 0
}

all_have_done() { # ROUND
    local name
    for name in "${clients[@]}"; do
        eventually test -e "$name.$1" || {
            cat "$name.log" >&2
            fail "$name does not come to round $1"
        }
    done
}

step "FAPI's own keys, which must come first"
start_clients "" fapi

step "keys"
tpm2_ptool init --path store >/dev/null
tpm2_ptool addtoken --pid 1 --label t --userpin 1234 --sopin 5678 --path store >/dev/null
tpm2_ptool addkey --algorithm ecc256 --label t --userpin 1234 --key-label k --path store >/dev/null
OPENSSL_CONF=openssl.cnf openssl genpkey -algorithm EC -pkeyopt group:P-256 -out key.pem
OPENSSL_CONF=openssl.cnf openssl req -x509 -key key.pem -subj /CN=localhost -days 9 -out certificate.pem

step "all work"
start_clients openssl.cnf tls
start_clients "" esys pkcs11

round=0
for how in TERM KILL TERM KILL; do
    round=$((round + 1))
    step "and again after SIG$how"
    restart_tbsd "$how"
    touch "go.$round"
    all_have_done $round
done

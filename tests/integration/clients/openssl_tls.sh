#!/usr/bin/env bash
# tpm2-openssl: requests and certificates for keys of the TPM, and a TLS 1.3 server (OpenSSL's own) that
# signs on the TPM while clients connect in parallel.
. "$(dirname "$0")/flow.sh"
need openssl curl tpm2_getcap /usr/lib/x86_64-linux-gnu/ossl-modules/tpm2.so
start_tbsd
. "$(dirname "$0")/tls_clients.sh"
configure_openssl

step "keys, requests and certificates"
with_tpm openssl genpkey -algorithm RSA -pkeyopt bits:2048 -out rsa.key 2>/dev/null
with_tpm openssl genpkey -algorithm EC -pkeyopt group:P-256 -out ecc.key 2>/dev/null
for kind in rsa ecc; do
    grep -q "TSS2 PRIVATE KEY" $kind.key || fail "$kind.key is no key of the TPM"
    with_tpm openssl req -new -key $kind.key -subj "/CN=localhost" -out $kind.csr
    openssl req -in $kind.csr -verify -noout
    with_tpm openssl req -x509 -key $kind.key -subj "/CN=localhost" -days 30 -out $kind.crt
    openssl verify -CAfile $kind.crt $kind.crt
done

for kind in rsa ecc; do
    step "openssl s_server with the $kind key: $handshakes handshakes, $clients clients"
    port=$(free_port)
    OPENSSL_CONF=$folder/openssl.cnf background s_server-$kind openssl s_server -quiet \
        -accept "127.0.0.1:$port" -key $kind.key -cert $kind.crt -tls1_3 -naccept 100000
    server=$!
    eventually listens "$port" || fail "s_server does not listen"
    all_succeed "$port" $kind.crt
    kill "$server"
done

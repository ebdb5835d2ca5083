#!/usr/bin/env bash
# tpm2-openssl: requests and certificates for keys of the TPM, and TLS 1.3 servers (OpenSSL's own, and
# nginx with several workers) that sign on the TPM while clients connect in parallel.
. "$(dirname "$0")/flow.sh"
need openssl curl tpm2_getcap /usr/lib/x86_64-linux-gnu/ossl-modules/tpm2.so
start_tbsd
handshakes=200
clients=8

# OpenSSL with the TPM's provider, for commands that take a configuration and for those that do not.
configure_openssl
with_tpm() { OPENSSL_CONF=$folder/openssl.cnf "$@"; }

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

handshake() { # PORT CERTIFICATE
    local output
    output=$(openssl s_client -connect "127.0.0.1:$1" -CAfile "$2" -verify_return_error -tls1_3 \
        -brief </dev/null 2>&1) && grep -qF "Verification: OK" <<<"$output"
}

# One of several clients that connect at a time; writes how often it succeeded.
client() { # PORT CERTIFICATE TIMES FILE
    local i done=0
    for ((i = 0; i < $3; i++)); do if handshake "$1" "$2"; then done=$((done + 1)); fi; done
    echo "$done" >"$4"
}

all_succeed() { # PORT CERTIFICATE
    local i sum=0 pids=()
    for ((i = 0; i < clients; i++)); do
        client "$1" "$2" $((handshakes / clients)) "count$i" &
        pids+=($!)
    done
    wait "${pids[@]}"
    for ((i = 0; i < clients; i++)); do sum=$((sum + $(<"count$i"))); done
    echo "$sum handshakes of $handshakes"
    ((sum == handshakes)) || fail "only $sum handshakes of $handshakes succeeded"
}

listens() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

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

if [[ -z $(type -P nginx) ]]; then
    echo "$flow: nginx is not installed; the rest is left out"
    exit 0
fi
# A key that nginx loads at its start belongs to the connection of its first process, which the
# workers cannot share. With a variable in the key's name each worker loads it on its own connection.
for kind in rsa ecc; do
    step "nginx with 4 workers and the $kind key: $handshakes handshakes, $clients clients"
    port=$(free_port)
    cat >nginx.conf <<END
$( ((EUID)) || echo "user root root;")
worker_processes 4;
daemon off;
pid $folder/nginx.pid;
error_log $folder/nginx-error.log;
env TPM2OPENSSL_TCTI;
env OPENSSL_CONF;
env LD_LIBRARY_PATH;
events { worker_connections 64; }
http {
    map \$ssl_server_name \$folder_of_key { default $folder; }
    access_log off;
    client_body_temp_path $folder/body;
    proxy_temp_path $folder/proxy;
    fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi;
    scgi_temp_path $folder/scgi;
    server {
        listen 127.0.0.1:$port ssl reuseport;
        ssl_protocols TLSv1.3;
        ssl_session_tickets off;
        ssl_certificate $folder/$kind.crt;
        ssl_certificate_key \$folder_of_key/$kind.key;
        return 200 "served\n";
    }
}
END
    OPENSSL_CONF=$folder/openssl.cnf background nginx-$kind nginx -c "$folder/nginx.conf"
    server=$!
    eventually listens "$port" || fail "nginx does not listen"
    all_succeed "$port" $kind.crt
    [[ $(curl -s --cacert $kind.crt "https://localhost:$port/" --resolve "localhost:$port:127.0.0.1") == served ]] ||
        fail "nginx does not serve"
    kill -QUIT "$server"
    eventually gone "$server" || fail "nginx does not end"
done

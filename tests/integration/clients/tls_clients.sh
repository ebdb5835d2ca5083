# shellcheck shell=bash disable=SC2154
# Clients of TLS servers whose keys are on the TPM; to be sourced behind flow.sh.
handshakes=200
clients=8

# OpenSSL with the TPM's provider, for commands that take a configuration and for those that do not.
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

# Sourced by the tests: tbsd as its user, on a TPM in software, at places that the AppArmor profile allows.
# It has a socket of its own, so that a service that runs here is left alone.

export TBS_SOCKET=/run/tbs/autopkgtest.sock
state=/var/lib/tbs/autopkgtest
daemon=

start_tbsd() {
    install -d -o tbs -g tbs /run/tbs /var/lib/tbs "$state"
    setpriv --reuid=tbs --regid=tbs --init-groups /usr/sbin/tbsd --device "embedded:$state/tpm" --state-dir "$state" \
        --socket "$TBS_SOCKET" &
    daemon=$!
    for _ in $(seq 300); do
        [ ! -S "$TBS_SOCKET" ] || return 0
        sleep 0.1
    done
    echo "tbsd does not listen on $TBS_SOCKET" >&2
    exit 1
}

stop_tbsd() {
    [ -z "$daemon" ] || { kill "$daemon" && wait "$daemon"; } || true
    daemon=
    rm -rf "$state"
}
trap stop_tbsd EXIT

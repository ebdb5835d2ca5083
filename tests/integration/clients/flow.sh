# shellcheck shell=bash disable=SC2034
# What every flow of a real client shares; to be sourced. A flow says what it needs, starts a tbsd of
# its own on the TPM that TBS_TEST_DEVICE names (embedded, swtpm, or kernel for the guest's), runs its
# steps as a user would, and ends. The end is part of the test: no context may stay open, and nothing
# may stay on the TPM.
#
# With TBS_TEST_ACCOUNT=user the clients are an ordinary user's (account.sh). Given TBS_FLOW_SOCKET, a flow
# joins the tbsd there instead, and TBS_FLOW_NUMBER keeps its handles apart from those of the others.
#
# Environment: TBS_TEST_TBSD, TBS_TEST_TBSCTL and TBS_TEST_TCTI name the programs and the module;
# TBS_TEST_CHECK_TABLES, if set, has tbsd check itself.
set -Eeuo pipefail
trap 'printf "%s: line %s: %s\n" "$flow" "$LINENO" "failed: $BASH_COMMAND" >&2' ERR

kSkipped=77
flow=$(basename "$0" .sh)
here=$(cd "$(dirname "$0")" && pwd)
number=${TBS_FLOW_NUMBER:-0}
device=${TBS_TEST_DEVICE:-embedded}
family=2.0 # of the TPM; a flow may ask for 1.2
folder=$(mktemp -d "${TMPDIR:-/tmp}/tbs-flow.XXXXXX")
# Root's programs do what takes an administrator; others do what they may.
own_socket=$folder/tbsd.sock
[[ $(id -u) != 0 ]] || own_socket=$folder/admin.sock
socket=${TBS_FLOW_SOCKET:-$own_socket}
started=()
tbsd_options=()
tbsd_pid=
tpm=          # what tbsd is told
embedded_tpm= # another than an embedded TPM whose state goes with it
# shellcheck source=tests/integration/clients/account.sh
. "$(dirname "${BASH_SOURCE[0]}")/account.sh"

step() { printf -- '-- %s: %s\n' "$flow" "$*"; }

fail() {
    printf '%s: %s\n' "$flow" "$*" >&2
    exit 1
}

# Skips the flow where a program is not installed.
need() {
    local program
    for program; do
        [[ -n $(type -P -- "$program") || -e $program ]] && continue
        echo "$flow: $program is not installed"
        exit $kSkipped
    done
}

# Writes openssl.cnf: keys of the TPM through its provider, digests and ciphers without it.
configure_openssl() {
    cat >openssl.cnf <<END
openssl_conf = init
[init]
providers = providers
alg_section = algorithms
[algorithms]
default_properties = ?provider=tpm2,tpm2.digest!=yes,tpm2.cipher!=yes
[providers]
default = on
base = on
tpm2 = on
[on]
activate = 1
[req]
distinguished_name = name
[name]
END
}

# Succeeds if the command fails and says the given text.
refused() {
    local text=$1 output
    shift
    if output=$("$@" 2>&1); then fail "succeeded, and should not: $*"; fi
    grep -qiF -- "$text" <<<"$output" || fail "failed without \"$text\": $*: $output"
}

# Succeeds if the command does and prints the given text. Its whole output is read first: a reader that
# leaves early, as `| grep -q` does, now and then kills the command by SIGPIPE.
prints() {
    local text=$1 output
    shift
    output=$("$@") || return
    grep -qiF -- "$text" <<<"$output"
}

eventually() {
    local deadline=$((SECONDS + 60))
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.05
    done
}

gone() { ! kill -0 "$1" 2>/dev/null; }

# Starts a program in the background that the end of the flow stops. Its output goes to NAME.log.
background() {
    local name=$1
    shift
    "$@" >>"$folder/$name.log" 2>&1 &
    started+=($!)
}

start_swtpm() {
    mkdir "$folder/swtpm"
    local tpm2=--tpm2
    [[ $family == 2.0 ]] || tpm2=
    background swtpm swtpm socket ${tpm2:+"$tpm2"} --server "type=unixio,path=$folder/tpm" \
        --ctrl "type=unixio,path=$folder/tpm.ctrl" --tpmstate "dir=$folder/swtpm" \
        --flags not-need-init
    eventually test -S "$folder/tpm" -a -S "$folder/tpm.ctrl" || fail "swtpm does not start"
}

ready() { prints '"device_state": "ready"' "$TBS_TEST_TBSCTL" --json status 2>/dev/null; }
no_contexts() { prints '"contexts": 0,' "$TBS_TEST_TBSCTL" --json status; }

start_tbsd() {
    export TBS_SOCKET=$socket TPM2TOOLS_TCTI=tbs:$socket TPM2OPENSSL_TCTI=tbs:$socket
    export TPM2_PKCS11_TCTI=tbs:$socket
    LD_LIBRARY_PATH=$(dirname "$TBS_TEST_TCTI")${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export LD_LIBRARY_PATH
    cd "$folder"
    [[ -z ${TBS_FLOW_SOCKET:-} ]] || return 0
    tpm=${embedded_tpm:-embedded}
    [[ $family == 2.0 ]] || tpm=embedded12
    [[ $device != kernel ]] || tpm=/dev/tpm0
    if [[ $device == swtpm ]]; then
        need swtpm
        start_swtpm
        tpm=swtpm:path=$folder/tpm
    fi
    mkdir "$folder/state"
    ! has_other_user || tbsd_options+=("${rights_of_user[@]}")
    run_tbsd
    change_account
}

run_tbsd() {
    # Builds for tests can compare their handle tables with the TPM after each command.
    background tbsd "$TBS_TEST_TBSD" --config /dev/null --device "$tpm" --socket "$folder/tbsd.sock" \
        --state-dir "$folder/state" --log-level debug ${TBS_TEST_CHECK_TABLES:+--check-tables} "${tbsd_options[@]}"
    tbsd_pid=$!
    eventually ready || fail "tbsd does not become ready"
}

# Ends it with this signal, and starts it anew on the same TPM.
restart_tbsd() { # SIGNAL
    if [[ -z $tbsd_pid ]]; then
        ask_for_restart "$1"
        return
    fi
    kill -"$1" "$tbsd_pid"
    wait "$tbsd_pid" 2>/dev/null || true # Else the shell tells of it.
    run_tbsd
}

# Wrong passwords are part of the flows; they must not lock the TPM. That is set before a user's steps.
forgive_wrong_passwords() {
    administrator && [[ $family == 2.0 && -n $(type -P tpm2_dictionarylockout) ]] || return 0
    tpm2_dictionarylockout -Q -s -n 1000 -t 1 -l 1
}

# Asks the swtpm itself. tbsd is killed first, so that it cannot tidy up in the end.
nothing_on_swtpm() {
    local kind handles
    kill -KILL "$tbsd_pid"
    eventually gone "$tbsd_pid" || fail "tbsd does not die"
    for kind in transient loaded-session saved-session; do
        handles=$(tpm2_getcap -T "swtpm:path=$folder/tpm" "handles-$kind") || fail "swtpm is silent"
        [[ -z $handles ]] || fail "left on the TPM ($kind): $handles"
    done
}

check_the_end() {
    eventually no_contexts || fail "a context stays open: $("$TBS_TEST_TBSCTL" contexts)"
    [[ $device != swtpm ]] || type -P tpm2_getcap >/dev/null || return 0
    sleep 0.5 # Longer than the idle time after which tbsd empties the TPM.
    kill -0 "$tbsd_pid" || fail "tbsd has died"
    ! grep -e "the handle tables and the TPM differ" -e "is loaded in an older state" "$folder/tbsd.log" ||
        fail "the tables were wrong"
    [[ $device != swtpm || $family != 2.0 ]] || nothing_on_swtpm
}

tidy_up() {
    local result=$? pid log
    trap - EXIT
    if declare -F at_the_end >/dev/null; then at_the_end || result=1; fi
    if ((result == 0)) && [[ -n $tbsd_pid ]]; then
        "$TBS_TEST_TBSCTL" status || true
        (check_the_end) || result=$?
    fi
    # Clients end by themselves; the flow that has started tbsd looks at the rest.
    if ((result == 0)) && [[ -n ${TBS_FLOW_HOME:-} && $number == 0 ]]; then
        eventually no_contexts || result=1
    fi
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
    if ((result != 0 && result != kSkipped)); then
        for log in "$folder"/*.log; do
            [[ ! -e $log ]] || { echo "--- $log" && tail -n 60 "$log"; } >&2
        done
    fi
    cd /
    rm -rf "$folder"
    exit $result
}
trap tidy_up EXIT
trap 'exit 143' TERM INT HUP

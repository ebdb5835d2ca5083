# shellcheck shell=bash disable=SC2034,SC2154
# Who runs the clients of a flow; flow.sh sources it. Root's programs are those of an administrator.
# With TBS_TEST_ACCOUNT=user, root starts the TPM and tbsd alone, and the flow runs a second time from its
# first line as nobody, who is in no group and has everybody's socket. Such a user may have no way into the
# build folder, so programs, modules and flows are copied to where everybody may go.

kNobody=65534
keeps_root=            # set by a flow that is root's whoever its client is: client_tbsctl
client_folder=$folder  # where clients may write, of both runs
rights_of_user=()      # options of tbsd without which a user could not take the flow's steps
[[ -z ${TBS_FLOW_HOME:-} ]] || client_folder=$TBS_FLOW_HOME

if [[ ${TBS_TEST_ACCOUNT:-} == user && $(id -u) != 0 && -z ${TBS_FLOW_HOME:-} ]]; then
    echo "$flow: to run as another user takes root"
    exit "$kSkipped"
fi

administrator() { [[ $(id -u) == 0 ]]; }

# Runs the command as an administrator; a user's must fail, and what it says is not shown.
for_administrators() {
    if administrator; then
        "$@"
    elif "$@" >/dev/null 2>&1; then
        fail "a user may not do this, and could: $*"
    fi
}

has_other_user() { administrator && [[ ${TBS_TEST_ACCOUNT:-} == user && -z ${TBS_FLOW_SOCKET:-} ]]; }

as_nobody() { # in place of this process
    exec setpriv --reuid=$kNobody --regid=$kNobody --clear-groups env --chdir=/ HOME="$client_folder" \
        TMPDIR="$client_folder" LD_LIBRARY_PATH="$bin" TBS_SOCKET="$folder/tbsd.sock" "$@"
}

# A user's tbsctl, for background().
client_tbsctl() {
    if has_other_user; then as_nobody "$bin/tbsctl" "$@"; fi
    exec "$TBS_TEST_TBSCTL" "$@"
}

copy_for_user() {
    local program
    bin=$folder/user/bin
    client_folder=$folder/user/home
    mkdir -p "$bin" "$client_folder"
    cp "$TBS_TEST_TBSCTL" "$(dirname "$TBS_TEST_TCTI")"/../libtbs.so.1 "$bin"
    cp "$TBS_TEST_TCTI" "$bin/libtss2-tcti-tbs.so.0" # what programs look for
    mkdir "$bin/tabrmd"
    [[ -z ${TBS_TEST_TABRMD:-} ]] || cp "$TBS_TEST_TABRMD" "$bin/tabrmd/libtss2-tcti-tabrmd.so.0"
    for program in "${TBS_TEST_ESYS_PROGRAM:-}" "${TBS_TEST_FAPI_PROGRAM:-}" \
        "${TBS_TEST_TABRMD_LOADS:-}" "${TBS_TEST_TABRMD_LINKED:-}"; do
        [[ -z $program ]] || cp "$program" "$bin"
    done
    cp -R "$here" "$folder/user/clients"
    chmod -R a+rX "$folder/user"
    chmod 711 "$folder"
    chown "$kNobody:$kNobody" "$client_folder"
}

# The flow as a user's, in place of its remaining steps as root's: does not return.
run_as_user() {
    local pid i
    as_nobody TBS_FLOW_SOCKET="$folder/tbsd.sock" TBS_FLOW_HOME="$client_folder" \
        TBS_TEST_TBSCTL="$bin/tbsctl" TBS_TEST_TCTI="$bin/libtss2-tcti-tbs.so.0" \
        TBS_TEST_ESYS_PROGRAM="$bin/esys_program" TBS_TEST_FAPI_PROGRAM="$bin/fapi_program" \
        TBS_TEST_TABRMD="$bin/tabrmd/libtss2-tcti-tabrmd.so.0" \
        TBS_TEST_TABRMD_LOADS="$bin/tabrmd_loads" TBS_TEST_TABRMD_LINKED="$bin/tabrmd_linked" \
        "$folder/user/clients/$flow.sh" &
    pid=$!
    started+=("$pid")
    while ! gone "$pid"; do
        restart_where_asked
        sleep 0.05
    done
    # It has ended. A tbsd that was started anew stands behind it.
    for i in "${!started[@]}"; do
        [[ ${started[i]} != "$pid" ]] || unset "started[$i]"
    done
    wait "$pid" || exit $?
    exit 0
}

# A user's flow asks the one that has started tbsd to start it anew.
restart_where_asked() {
    local asked=$client_folder/restart
    [[ -e $asked ]] || return 0
    restart_tbsd "$(<"$asked")"
    rm "$asked"
}
ask_for_restart() { # SIGNAL
    local asked=$client_folder/restart
    printf '%s' "$1" >"$asked.new"
    mv "$asked.new" "$asked"
    eventually test ! -e "$asked" || fail "tbsd is not started anew"
}

# Before the flow's steps, when tbsd runs.
change_account() {
    has_other_user || return 0
    forgive_wrong_passwords
    copy_for_user
    if declare -F prepare_for_user >/dev/null; then prepare_for_user; fi
    [[ -n $keeps_root ]] || run_as_user
}

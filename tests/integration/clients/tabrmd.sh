#!/usr/bin/env bash
# Programs that know tpm2-abrmd's TCTI module alone, with the one of tbs in its place: loaded by its soname,
# linked, named to tctildr, and found by tctildr and FAPI where nothing is named. There is no D-Bus.
. "$(dirname "$0")/flow.sh"
. "$(dirname "$0")/keystore.sh"
need "$TBS_TEST_TABRMD" "${TBS_TEST_FAPI_PROGRAM:-fapi_program}" $profiles tpm2_getrandom
prepare_for_user() { provision_for_user; }
start_tbsd
LD_LIBRARY_PATH=$(dirname "$TBS_TEST_TABRMD"):$LD_LIBRARY_PATH
export TSS2_LOG=all+none # tctildr tries what is not there.
unset TPM2TOOLS_TCTI
# No bus can be reached: of its sockets, those with a path and those without.
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere

# With nothing of the machine but the flow's folder, where that can be had.
alone() { "$@"; }
if administrator && unshare --mount --net mount -t tmpfs none /run 2>/dev/null; then
    alone() { unshare --mount --net bash -c 'mount -t tmpfs none /run; exec "$@"' alone "$@"; }
fi

step "loaded by its soname, and linked"
for program in "$TBS_TEST_TABRMD_LOADS" "$TBS_TEST_TABRMD_LINKED"; do
    prints "in place of that for tpm2-abrmd" alone "$program"
    for configuration in "" bus_type=session bus_name=com.intel.tss2.Tabrmd,bus_type=system \
        "bus_name=com.example,socket=$socket" "socket=$socket,bus_type=system"; do
        alone "$program" "$configuration" >/dev/null
    done
    refused "it connects" alone "$program" socket=/nowhere
    refused "it connects" alone "$program" bus_nam=com.example
done

step "named to tctildr"
[[ $(alone tpm2_getrandom -T tabrmd --hex 8) =~ ^[0-9a-f]{16}$ ]] || fail "no random bytes"
alone tpm2_getrandom -T tabrmd:bus_name=com.intel.tss2.Tabrmd,bus_type=session --hex 8 >/dev/null

step "found by tctildr"
alone tpm2_getrandom --hex 8 >/dev/null

step "found by FAPI"
keystore=$(keystore_of_user)
steps=(use)
if administrator; then
    fapi_config P_ECCP256SHA256 "$keystore" "$socket"
    steps=(provision use delete)
fi
sed -i 's/"tcti": ".*"/"tcti": ""/' "$keystore/config.json"
TSS2_FAPICONF=$keystore/config.json alone "$TBS_TEST_FAPI_PROGRAM" "${steps[@]}"

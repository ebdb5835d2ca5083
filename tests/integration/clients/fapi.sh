#!/usr/bin/env bash
# FAPI from C, with a keystore in the flow's folder, for each kind of profile.
. "$(dirname "$0")/flow.sh"
. "$(dirname "$0")/keystore.sh"
need "${TBS_TEST_FAPI_PROGRAM:-fapi_program}" $profiles
prepare_for_user() { provision_for_user; }
start_tbsd
export TSS2_LOG=all+none # Errors are provoked.

with_keystore() { TSS2_FAPICONF=$1/config.json "$TBS_TEST_FAPI_PROGRAM" "${@:2}"; } # FOLDER STEP...

if administrator; then
    for profile in P_ECCP256SHA256 P_RSA2048SHA256; do
        step "$profile"
        fapi_config $profile "$folder/$profile" "$socket"
        with_keystore "$folder/$profile" provision use delete
    done
else
    step "a keystore that an administrator has provisioned"
    with_keystore "$(keystore_of_user)" use
    step "a user cannot provision one"
    fapi_config P_ECCP256SHA256 "$folder/own" "$socket"
    refused "Fapi_Provision: 0x80280400" with_keystore "$folder/own" provision
fi

# shellcheck shell=bash disable=SC2154
# FAPI's keystore; to be sourced after flow.sh. To provision one sets the TPM's lockout parameters, which
# takes an administrator; users go on with what an administrator has provisioned.
profiles=/etc/tpm2-tss/fapi-profiles

# Writes FOLDER/config.json and makes the folders that it names.
fapi_config() { # PROFILE FOLDER SOCKET
    mkdir -p "$2"/{user,system,log}
    cat >"$2/config.json" <<END
{
    "profile_name": "$1",
    "profile_dir": "$profiles/",
    "user_dir": "$2/user/",
    "system_dir": "$2/system/",
    "log_dir": "$2/log/",
    "tcti": "tbs:$3",
    "ek_cert_less": "yes",
    "system_pcrs": []
}
END
}

keystore_of_user() { printf '%s/keystore' "$client_folder"; }

# For a user's flow, before its steps.
provision_for_user() {
    local keystore
    keystore=$(keystore_of_user)
    fapi_config P_ECCP256SHA256 "$keystore" "$folder/admin.sock"
    TSS2_LOG=all+none TSS2_FAPICONF=$keystore/config.json "$TBS_TEST_FAPI_PROGRAM" provision
    fapi_config P_ECCP256SHA256 "$keystore" "$folder/tbsd.sock"
    chown -R "$kNobody:$kNobody" "$keystore"
}

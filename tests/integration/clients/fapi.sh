#!/usr/bin/env bash
# FAPI from C, with a keystore in the flow's folder, for each kind of profile.
. "$(dirname "$0")/flow.sh"
profiles=/etc/tpm2-tss/fapi-profiles
need "${TBS_TEST_FAPI_PROGRAM:-fapi_program}" $profiles
start_tbsd
export TSS2_LOG=all+none # Errors are provoked.

for profile in P_ECCP256SHA256 P_RSA2048SHA256; do
    step "$profile"
    mkdir -p "$folder/$profile/"{user,system,log}
    cat >"$folder/$profile/config.json" <<END
{
    "profile_name": "$profile",
    "profile_dir": "$profiles/",
    "user_dir": "$folder/$profile/user/",
    "system_dir": "$folder/$profile/system/",
    "log_dir": "$folder/$profile/log/",
    "tcti": "tbs:$socket",
    "ek_cert_less": "yes",
    "system_pcrs": []
}
END
    TSS2_FAPICONF=$folder/$profile/config.json "$TBS_TEST_FAPI_PROGRAM"
done

#!/usr/bin/env bash
# tpm2-pytss: the ESYS and FAPI calls from Python.
. "$(dirname "$0")/flow.sh"
. "$(dirname "$0")/keystore.sh"
need /usr/bin/python3 "${TBS_TEST_FAPI_PROGRAM:-fapi_program}" $profiles
/usr/bin/python3 -c "import tpm2_pytss" 2>/dev/null || { echo "$flow: tpm2-pytss is not installed" && exit $kSkipped; }
prepare_for_user() { provision_for_user; }
start_tbsd

step "one process"
if administrator; then
    /usr/bin/python3 "$here/pytss.py"
else
    /usr/bin/python3 "$here/pytss.py" "$(keystore_of_user)/config.json"
fi

#!/usr/bin/env bash
# tpm2-pytss: the ESYS and FAPI calls from Python.
. "$(dirname "$0")/flow.sh"
need /usr/bin/python3
/usr/bin/python3 -c "import tpm2_pytss" 2>/dev/null || { echo "$flow: tpm2-pytss is not installed" && exit $kSkipped; }
start_tbsd

step "one process"
/usr/bin/python3 "$here/pytss.py"

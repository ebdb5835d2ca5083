#!/usr/bin/env bash
# tpm2-tools: every capability that tpm2_getcap knows, and the small commands that ask and set.
. "$(dirname "$0")/flow.sh"
need tpm2_getcap
start_tbsd

step "every capability"
tpm2_getcap -l | tr -d ' -' >/dev/null
kinds=$(tpm2_getcap -l | sed -n 's/^- *//p' | grep -v vendor)
for kind in $kinds; do
    tpm2_getcap "$kind" >"cap-$kind" || fail "tpm2_getcap $kind"
done
for kind in algorithms commands properties-fixed properties-variable ecc-curves pcrs \
    handles-permanent handles-pcr; do
    [[ -s cap-$kind ]] || fail "tpm2_getcap $kind shows nothing"
done
for kind in handles-transient handles-loaded-session handles-saved-session; do
    [[ ! -s cap-$kind ]] || fail "tpm2_getcap $kind shows others' handles: $(cat "cap-$kind")"
done

step "what a process has loaded is its own"
tpm2_createprimary -Q -C o -c primary.ctx
[[ -z $(tpm2_getcap handles-transient) ]] || fail "another process sees the key"

step "questions and answers"
[[ $(tpm2_getrandom --hex 32 | wc -c) == 64 ]] || fail "not 32 random bytes"
tpm2_selftest -f
tpm2_incrementalselftest sha256 rsa aes >/dev/null
prints success tpm2_gettestresult
tpm2_readclock >/dev/null
tpm2_pcrread -Q
tpm2_testparms rsa2048:rsassa:null
refused "" tpm2_testparms rsa1023
tpm2_stirrandom <<<"some noise"
prints auth tpm2_rc_decode 0x98e
[[ $(tpm2_ecephemeral -Q -u point -t counter ecc256 && wc -c <point) -gt 64 ]] || fail "no point"

step "dictionary attack parameters and hierarchy passwords, set and set back"
if [[ -z ${TBS_FLOW_SOCKET:-} ]]; then
    tpm2_dictionarylockout -Q -s -n 5 -t 10 -l 10
    prints "TPM2_PT_MAX_AUTH_FAIL: 0x5" tpm2_getcap properties-variable
    tpm2_changeauth -Q -c o word
    refused 0x9a2 tpm2_createprimary -C o -c other.ctx
    tpm2_createprimary -Q -C o -P word -c other.ctx
    tpm2_changeauth -Q -c o -p word
    tpm2_clear -Q -c p || tpm2_clear -Q
fi

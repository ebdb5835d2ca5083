#!/usr/bin/env bash
# tpm2-tools: NV indices of each kind, larger than one command, with passwords, locks and policies.
. "$(dirname "$0")/flow.sh"
need tpm2_nvdefine
rights_of_user=(--nv-bytes-per-user 4096)
start_tbsd
forgive_wrong_passwords
index() { printf '0x15%x%04x' "$number" "$1"; }

step "plain data, in more than one command"
head -c 2048 /dev/urandom >data
tpm2_nvdefine -Q "$(index 1)" -C o -s 2048 -a "ownerread|ownerwrite|authread|authwrite" -p word
tpm2_nvwrite -Q "$(index 1)" -C o -i data
tpm2_nvread "$(index 1)" -C o -s 2048 | cmp - data
tpm2_nvread "$(index 1)" -C "$(index 1)" -P word -s 100 --offset 1000 | cmp - <(tail -c +1001 data | head -c 100)
refused 0x98e tpm2_nvread "$(index 1)" -C "$(index 1)" -P other -s 100
prints "size: 2048" tpm2_nvreadpublic "$(index 1)"
prints "$(index 1)" tpm2_getcap handles-nv-index

step "a counter, bits, and an index that is extended"
tpm2_nvdefine -Q "$(index 2)" -C o -a "nt=counter|ownerread|ownerwrite"
tpm2_nvincrement -Q "$(index 2)" -C o
before=$(tpm2_nvread "$(index 2)" -C o | xxd -p)
for ((i = 0; i < 10; i++)); do tpm2_nvincrement -Q "$(index 2)" -C o; done
after=$(tpm2_nvread "$(index 2)" -C o | xxd -p)
((0x$after - 0x$before == 10)) || fail "the counter went from $before to $after"
tpm2_nvdefine -Q "$(index 3)" -C o -a "nt=bits|ownerread|ownerwrite"
tpm2_nvsetbits -Q "$(index 3)" -C o -i 0x5
tpm2_nvsetbits -Q "$(index 3)" -C o -i 0x2
[[ $(tpm2_nvread "$(index 3)" -C o | xxd -p) == 0000000000000007 ]] || fail "wrong bits"
tpm2_nvdefine -Q "$(index 4)" -C o -g sha256 -a "nt=extend|ownerread|ownerwrite"
echo event | tpm2_nvextend -Q -C o -i- "$(index 4)"
{ head -c 32 /dev/zero && echo event; } | sha256sum | cut -d' ' -f1 >expected
tpm2_nvread "$(index 4)" -C o | xxd -p -c 64 | cmp - expected

step "locks hold until the TPM restarts"
tpm2_nvdefine -Q "$(index 5)" -C o -s 8 -a "ownerread|ownerwrite|write_stclear|read_stclear"
echo -n 12345678 >lock-data
tpm2_nvwrite -Q "$(index 5)" -C o -i lock-data
tpm2_nvwritelock -Q "$(index 5)" -C o
refused 0x148 tpm2_nvwrite "$(index 5)" -C o -i lock-data
[[ $(tpm2_nvread "$(index 5)" -C o) == 12345678 ]] || fail "wrong data"
tpm2_nvreadlock -Q "$(index 5)" -C o
refused 0x148 tpm2_nvread "$(index 5)" -C o

step "an index with a policy, used with a session from process to process"
tpm2_startauthsession -Q -S trial.ctx
tpm2_policyauthvalue -Q -S trial.ctx -L auth.policy
tpm2_flushcontext trial.ctx
tpm2_nvdefine -Q "$(index 6)" -C o -s 8 -L auth.policy -p word -a "policyread|policywrite"
tpm2_startauthsession -Q --policy-session -S policy.ctx
tpm2_policyauthvalue -Q -S policy.ctx
echo -n 87654321 | tpm2_nvwrite -Q "$(index 6)" -C "$(index 6)" -P session:policy.ctx+word -i-
tpm2_policyrestart -Q -S policy.ctx
tpm2_policyauthvalue -Q -S policy.ctx
[[ $(tpm2_nvread "$(index 6)" -C "$(index 6)" -P session:policy.ctx+word) == 87654321 ]] ||
    fail "wrong data"
tpm2_flushcontext policy.ctx

step "and away with them"
for i in 1 2 3 4 5 6; do tpm2_nvundefine -Q "$(index $i)" -C o; done
refused 0x18b tpm2_nvreadpublic "$(index 1)"

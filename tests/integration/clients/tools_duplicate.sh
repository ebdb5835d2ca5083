#!/usr/bin/env bash
# tpm2-tools: a key moves from below one parent to below another.
. "$(dirname "$0")/flow.sh"
need tpm2_duplicate openssl
start_tbsd

step "two parents, one of which knows the other's public part alone"
tpm2_createprimary -Q -C o -g sha256 -G rsa -c source.ctx
tpm2_createprimary -Q -C n -g sha256 -G ecc -c destination.ctx
tpm2_readpublic -Q -c destination.ctx -o destination.pub
tpm2_loadexternal -Q -C n -u destination.pub -c parent.ctx

step "a key whose policy allows its duplication"
tpm2_startauthsession -Q -S trial.ctx
tpm2_policycommandcode -Q -S trial.ctx -L duplicate.policy TPM2_CC_Duplicate
tpm2_flushcontext trial.ctx
tpm2_create -Q -C source.ctx -G ecc256 -p word -L duplicate.policy \
    -a "sensitivedataorigin|sign|decrypt|userwithauth" -u key.pub -r key.priv
tpm2_load -Q -C source.ctx -u key.pub -r key.priv -c key.ctx

for wrapper in null aes; do
    step "duplication, inner wrapper: $wrapper"
    inner_out=() inner_in=()
    if [[ $wrapper == aes ]]; then inner_out=(-o inner.key) inner_in=(-k inner.key); fi
    tpm2_startauthsession -Q --policy-session -S policy.ctx
    tpm2_policycommandcode -Q -S policy.ctx -L duplicate.policy TPM2_CC_Duplicate
    tpm2_duplicate -Q -C parent.ctx -c key.ctx -G $wrapper "${inner_out[@]}" \
        -p session:policy.ctx -r moved.dup -s moved.seed
    tpm2_flushcontext policy.ctx
    tpm2_import -Q -C destination.ctx -u key.pub -i moved.dup -s moved.seed -r moved.priv \
        -L duplicate.policy "${inner_in[@]}"
    tpm2_load -Q -C destination.ctx -u key.pub -r moved.priv -c moved.ctx

    step "the moved key signs what the first one verifies"
    echo "some text" >message
    tpm2_sign -Q -c moved.ctx -p word -g sha256 -o message.sig message
    tpm2_verifysignature -Q -c key.ctx -g sha256 -m message -s message.sig
done

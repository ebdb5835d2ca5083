#!/usr/bin/env bash
# tpm2-tools: secrets sealed with policies, and policy sessions that one process starts, others
# continue through the session's context file, and one ends.
. "$(dirname "$0")/flow.sh"
need tpm2_unseal openssl
start_tbsd
forgive_wrong_passwords
pcr=23

step "seal with a password"
tpm2_createprimary -Q -C o -c primary.ctx
echo "the secret" >secret
tpm2_create -Q -C primary.ctx -i secret -p word -u word.pub -r word.priv
tpm2_load -Q -C primary.ctx -u word.pub -r word.priv -c word.ctx
tpm2_unseal -c word.ctx -p word | cmp - secret
refused 0x98e tpm2_unseal -c word.ctx -p other

step "a trial session, through five processes"
tpm2_pcrreset -Q $pcr
tpm2_startauthsession -Q -S trial.ctx
tpm2_policypcr -Q -S trial.ctx -l sha256:$pcr
tpm2_policyauthvalue -Q -S trial.ctx -L both.policy
tpm2_flushcontext trial.ctx

step "seal to a PCR and a password; unseal with a policy session, through five processes"
tpm2_create -Q -C primary.ctx -i secret -p word -L both.policy -a "fixedtpm|fixedparent" \
    -u both.pub -r both.priv
tpm2_load -Q -C primary.ctx -u both.pub -r both.priv -c both.ctx
tpm2_startauthsession -Q --policy-session -S policy.ctx
tpm2_policypcr -Q -S policy.ctx -l sha256:$pcr
tpm2_policyauthvalue -Q -S policy.ctx
refused 0x98e tpm2_unseal -c both.ctx -p session:policy.ctx+other
tpm2_policyrestart -Q -S policy.ctx
tpm2_policypcr -Q -S policy.ctx -l sha256:$pcr
tpm2_policyauthvalue -Q -S policy.ctx
tpm2_unseal -c both.ctx -p session:policy.ctx+word | cmp - secret
tpm2_flushcontext policy.ctx
refused 1cb tpm2_unseal -c both.ctx -p session:policy.ctx+word

step "the PCR changes: the secret stays sealed"
tpm2_create -Q -C primary.ctx -i secret -L both.policy -a "fixedtpm|fixedparent|userwithauth" \
    -u plain.pub -r plain.priv
tpm2_pcrextend -Q "$pcr:sha256=$(sha256sum secret | cut -d' ' -f1)"
tpm2_startauthsession -Q --policy-session -S policy.ctx
tpm2_policypcr -Q -S policy.ctx -l sha256:$pcr
tpm2_policyauthvalue -Q -S policy.ctx
refused 0x99d tpm2_unseal -c both.ctx -p session:policy.ctx+word
tpm2_flushcontext policy.ctx
tpm2_pcrreset -Q $pcr
tpm2_unseal -c both.ctx -p "pcr:sha256:$pcr+word" | cmp - secret ||
    refused 0x99d tpm2_unseal -c both.ctx -p "pcr:sha256:$pcr"

step "a policy that an OpenSSL key signs"
openssl genrsa -out signer.pem 2048 2>/dev/null
openssl rsa -in signer.pem -pubout -out signer.pub 2>/dev/null
tpm2_loadexternal -Q -C o -G rsa -u signer.pub -c signer.ctx -n signer.name
tpm2_startauthsession -Q -S trial.ctx
tpm2_policyauthorize -Q -S trial.ctx -L signed.policy -n signer.name
tpm2_flushcontext trial.ctx
tpm2_create -Q -C primary.ctx -i secret -L signed.policy -a "fixedtpm|fixedparent" \
    -u signed.pub -r signed.priv
tpm2_load -Q -C primary.ctx -u signed.pub -r signed.priv -c signed.ctx
tpm2_startauthsession -Q -S trial.ctx
tpm2_policypcr -Q -S trial.ctx -l sha256:$pcr -L pcr.policy
tpm2_flushcontext trial.ctx
openssl dgst -sha256 -sign signer.pem -out pcr.sig pcr.policy
tpm2_verifysignature -Q -c signer.ctx -g sha256 -m pcr.policy -s pcr.sig -t ticket -f rsassa
tpm2_startauthsession -Q --policy-session -S policy.ctx
tpm2_policypcr -Q -S policy.ctx -l sha256:$pcr
tpm2_policyauthorize -Q -S policy.ctx -i pcr.policy -n signer.name -t ticket
tpm2_unseal -c signed.ctx -p session:policy.ctx | cmp - secret
tpm2_flushcontext policy.ctx

step "either of two policies, one of them another object's password"
tpm2_startauthsession -Q -S trial.ctx
tpm2_policysecret -Q -S trial.ctx -c word.ctx -L secret.policy word
tpm2_flushcontext trial.ctx
tpm2_startauthsession -Q -S trial.ctx
tpm2_policyor -Q -S trial.ctx -L or.policy sha256:pcr.policy,secret.policy
tpm2_flushcontext trial.ctx
tpm2_create -Q -C primary.ctx -i secret -L or.policy -a "fixedtpm|fixedparent" -u or.pub -r or.priv
tpm2_load -Q -C primary.ctx -u or.pub -r or.priv -c or.ctx
tpm2_startauthsession -Q --policy-session -S policy.ctx
tpm2_policysecret -Q -S policy.ctx -c word.ctx word
tpm2_policyor -Q -S policy.ctx sha256:pcr.policy,secret.policy
tpm2_unseal -c or.ctx -p session:policy.ctx | cmp - secret
tpm2_flushcontext policy.ctx

step "an HMAC session with encryption, salted by the primary key, for several processes"
tpm2_startauthsession -Q --hmac-session -c primary.ctx -S hmac.ctx
tpm2_sessionconfig -Q --enable-encrypt --enable-decrypt hmac.ctx
for ((i = 0; i < 5; i++)); do tpm2_unseal -c word.ctx -p session:hmac.ctx+word | cmp - secret; done
tpm2_flushcontext hmac.ctx

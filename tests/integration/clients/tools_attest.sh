#!/usr/bin/env bash
# tpm2-tools: quotes, certificates of keys and indices, and credentials for an attestation key.
. "$(dirname "$0")/flow.sh"
need tpm2_quote
start_tbsd

step "endorsement key and attestation key"
nvindex=$(printf '0x15%x1001' "$number")
for kind in rsa ecc; do
    tpm2_createek -Q -c ek-$kind.ctx -G $kind -u ek-$kind.pub
    tpm2_createak -Q -C ek-$kind.ctx -c ak-$kind.ctx -G $kind -g sha256 -u ak-$kind.pub \
        -n ak-$kind.name
    tpm2_readpublic -Q -c ak-$kind.ctx -f pem -o ak-$kind.pem
done

step "quotes"
for kind in rsa ecc; do
    for selection in sha256:0,1,2,3,4,5,6,7 sha1:0,1+sha256:10+sha384:7; do
        tpm2_quote -Q -c ak-$kind.ctx -l $selection -q c0ffee -m quote -s quote.sig -o quote.pcrs \
            -g sha256
        tpm2_checkquote -Q -u ak-$kind.pem -m quote -s quote.sig -f quote.pcrs -g sha256 -q c0ffee
        refused "ERROR" tpm2_checkquote -u ak-$kind.pem -m quote -s quote.sig -f quote.pcrs \
            -g sha256 -q decaff
    done
done

step "credentials: made from what is public, opened by the TPM with both keys"
head -c 24 /dev/urandom >challenge
for kind in rsa ecc; do
    tpm2_makecredential -Q -u ek-$kind.pub -s challenge -n "$(xxd -p -c 100 ak-$kind.name)" -o blob
    tpm2_startauthsession -Q --policy-session -S policy.ctx
    tpm2_policysecret -Q -S policy.ctx -c e
    tpm2_activatecredential -Q -c ak-$kind.ctx -C ek-$kind.ctx -i blob -o answer \
        -P session:policy.ctx
    tpm2_flushcontext policy.ctx
    cmp challenge answer
done

step "one key certifies another, its creation, and an index"
tpm2_createprimary -Q -C o -c primary.ctx --creation-data creation.data -d creation.hash \
    -t creation.ticket
tpm2_create -Q -C primary.ctx -G ecc256 -u key.pub -r key.priv
tpm2_load -Q -C primary.ctx -u key.pub -r key.priv -c key.ctx
tpm2_certify -Q -c key.ctx -C ak-rsa.ctx -g sha256 -o attest -s attest.sig -f plain
openssl dgst -sha256 -verify ak-rsa.pem -signature attest.sig attest
tpm2_certifycreation -Q -C ak-ecc.ctx -c primary.ctx -d creation.hash -t creation.ticket \
    -g sha256 -o creation.sig --attestation creation.attest -f plain
openssl dgst -sha256 -verify ak-ecc.pem -signature creation.sig creation.attest
tpm2_nvdefine -Q "$nvindex" -C o -s 32 -a "ownerread|ownerwrite|authread|authwrite"
head -c 32 /dev/urandom | tpm2_nvwrite -Q "$nvindex" -C o -i-
tpm2_nvcertify -Q -C ak-rsa.ctx -c o -g sha256 -f plain -o nv.sig --attestation nv.attest \
    --size 32 "$nvindex"
openssl dgst -sha256 -verify ak-rsa.pem -signature nv.sig nv.attest
tpm2_nvundefine -Q "$nvindex" -C o

step "the time, certified"
tpm2_gettime -Q -c ak-rsa.ctx -q c0ffee -g sha256 -f plain -o time.sig --attestation time.attest
openssl dgst -sha256 -verify ak-rsa.pem -signature time.sig time.attest

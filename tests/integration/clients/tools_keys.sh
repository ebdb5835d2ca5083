#!/usr/bin/env bash
# tpm2-tools: keys made, loaded, used, moved into the TPM for good, given another password.
. "$(dirname "$0")/flow.sh"
need tpm2_create openssl
rights_of_user=(--lockout-per-user 100)
start_tbsd
forgive_wrong_passwords
persistent=$(printf '0x8101%04x' $((0x100 + number)))

step "a primary key, and keys of each kind below it"
tpm2_createprimary -Q -C o -g sha256 -G ecc -c primary.ctx
echo "some text" >message
for kind in rsa2048 ecc256 ecc384; do
    tpm2_create -Q -C primary.ctx -G "$kind" -u "$kind.pub" -r "$kind.priv" -p "secret"
    tpm2_load -Q -C primary.ctx -u "$kind.pub" -r "$kind.priv" -c "$kind.ctx" -n "$kind.name"
done

step "sign; verify on the TPM and with OpenSSL"
for kind in rsa2048 ecc256 ecc384; do
    tpm2_sign -Q -c "$kind.ctx" -p secret -g sha256 -o "$kind.sig" message
    tpm2_verifysignature -Q -c "$kind.ctx" -g sha256 -m message -s "$kind.sig"
    tpm2_sign -Q -c "$kind.ctx" -p secret -g sha256 -f plain -o "$kind.plain" message
    tpm2_readpublic -Q -c "$kind.ctx" -f pem -o "$kind.pem"
    openssl dgst -sha256 -verify "$kind.pem" -signature "$kind.plain" message
    echo "another text" >other
    refused 0x2db tpm2_verifysignature -c "$kind.ctx" -g sha256 -m other -s "$kind.sig"
    refused 0x98e tpm2_sign -c "$kind.ctx" -p wrong -g sha256 -o nothing.sig message
done

step "encrypt and decrypt with RSA and with AES"
tpm2_create -Q -C primary.ctx -G rsa2048 -u enc.pub -r enc.priv -a "decrypt|userwithauth|fixedtpm|fixedparent|sensitivedataorigin"
tpm2_load -Q -C primary.ctx -u enc.pub -r enc.priv -c enc.ctx
for scheme in rsaes oaep; do
    tpm2_rsaencrypt -Q -c enc.ctx -s $scheme -o message.rsa message
    tpm2_rsadecrypt -Q -c enc.ctx -s $scheme -o message.clear message.rsa
    cmp message message.clear
done
tpm2_create -Q -C primary.ctx -G aes128cfb -u aes.pub -r aes.priv
tpm2_load -Q -C primary.ctx -u aes.pub -r aes.priv -c aes.ctx
head -c 5000 /dev/urandom >large
head -c 16 /dev/urandom >iv
tpm2_encryptdecrypt -Q -c aes.ctx -t iv -o large.aes large
tpm2_encryptdecrypt -Q -d -c aes.ctx -t iv -o large.clear large.aes
cmp large large.clear
refused "" cmp -s large large.aes

step "ECDH gives both sides the same secret"
tpm2_create -Q -C primary.ctx -G ecc256:ecdh -u dh.pub -r dh.priv \
    -a "decrypt|userwithauth|fixedtpm|fixedparent|sensitivedataorigin"
tpm2_load -Q -C primary.ctx -u dh.pub -r dh.priv -c dh.ctx
tpm2_ecdhkeygen -Q -c dh.ctx -u point -o secret1
tpm2_ecdhzgen -Q -c dh.ctx -u point -o secret2
cmp secret1 secret2

step "another password"
tpm2_changeauth -Q -c ecc256.ctx -C primary.ctx -p secret -r changed.priv renewed
tpm2_load -Q -C primary.ctx -u ecc256.pub -r changed.priv -c changed.ctx
tpm2_sign -Q -c changed.ctx -p renewed -g sha256 -o changed.sig message
refused 0x98e tpm2_sign -c changed.ctx -p secret -g sha256 -o changed.sig message

step "a persistent key, its first and last use, and its end"
tpm2_evictcontrol -Q -C o -c rsa2048.ctx "$persistent"
prints "$persistent" tpm2_getcap handles-persistent
tpm2_sign -Q -c "$persistent" -p secret -g sha256 -o persistent.sig message
tpm2_verifysignature -Q -c rsa2048.ctx -g sha256 -m message -s persistent.sig
tpm2_evictcontrol -Q -C o -c "$persistent"
refused 0x18b tpm2_readpublic -c "$persistent"

step "keys of OpenSSL, imported below the primary key and loaded as they are"
openssl ecparam -name prime256v1 -genkey -noout -out outside-ecc.pem
openssl genrsa -out outside-rsa.pem 2048 2>/dev/null
for kind in ecc rsa; do
    tpm2_import -Q -C primary.ctx -G $kind -i outside-$kind.pem -u in-$kind.pub -r in-$kind.priv
    tpm2_load -Q -C primary.ctx -u in-$kind.pub -r in-$kind.priv -c in-$kind.ctx
    tpm2_sign -Q -c in-$kind.ctx -g sha256 -f plain -o in-$kind.sig message
    openssl pkey -in outside-$kind.pem -pubout -out outside-$kind.pub
    openssl dgst -sha256 -verify outside-$kind.pub -signature in-$kind.sig message
    tpm2_loadexternal -Q -C n -G $kind -r outside-$kind.pem -c external.ctx
    tpm2_sign -Q -c external.ctx -g sha256 -f plain -o external.sig message
    openssl dgst -sha256 -verify outside-$kind.pub -signature external.sig message
done

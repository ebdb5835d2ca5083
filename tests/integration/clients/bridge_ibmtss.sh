#!/usr/bin/env bash
# IBM's TSS utilities through tbsctl bridge, as they speak to Microsoft's simulator and as they speak
# raw TPM commands. Each utility is a process that connects anew, so that they share a context.
. "$(dirname "$0")/flow.sh"
. "$(dirname "$0")/bridge.sh"
need tsscreateprimary
start_tbsd

# Numbers of objects and sessions are those of a TPM of one's own, from the first on.
use_the_tpm() {
    step "$TPM_SERVER_TYPE: random bytes, properties, PCRs"
    tssgetrandom -by 16 >/dev/null
    tssgetcapability -cap 6 >/dev/null
    tsspcrread -ha 16 -halg sha256 -of before.pcr
    tsspcrextend -ha 16 -halg sha256 -ic "some text"
    tsspcrread -ha 16 -halg sha256 -of after.pcr
    refused "" cmp -s before.pcr after.pcr
    tsspcrreset -ha 16

    step "$TPM_SERVER_TYPE: a key below a primary key, with a password and with a session"
    prints "Handle 80000000" tsscreateprimary -hi o -ecc nistp256
    tsscreate -hp 80000000 -ecc nistp256 -si -pwdk secret -opu key.pub -opr key.priv >/dev/null
    prints "Handle 80000001" tssload -hp 80000000 -ipu key.pub -ipr key.priv
    echo "some text" >message
    tsssign -hk 80000001 -halg sha256 -ecc -if message -os message.sig -pwdk secret >/dev/null
    tssverifysignature -hk 80000001 -halg sha256 -ecc -if message -is message.sig >/dev/null
    prints "Handle 02000000" tssstartauthsession -se h
    tsssign -hk 80000001 -halg sha256 -ecc -if message -os other.sig -pwdk secret \
        -se0 02000000 1 >/dev/null
    tssverifysignature -hk 80000001 -halg sha256 -ecc -if message -is other.sig >/dev/null
    echo "another text" >another
    refused TPM_RC_SIGNATURE tssverifysignature -hk 80000001 -halg sha256 -ecc -if another \
        -is message.sig
    refused TPM_RC_BAD_AUTH tsssign -hk 80000001 -halg sha256 -ecc -if message -pwdk wrong

    step "$TPM_SERVER_TYPE: seal and unseal under a policy"
    prints "Handle 03000001" tssstartauthsession -se t
    tsspolicycommandcode -ha 03000001 -cc 15e
    tsspolicygetdigest -ha 03000001 -of policy.bin >/dev/null
    tssflushcontext -ha 03000001
    echo -n "sealed text" >secret.txt
    tsscreate -hp 80000000 -bl -kt f -kt p -if secret.txt -pol policy.bin -uwa -opu blob.pub \
        -opr blob.priv >/dev/null
    tssload -hp 80000000 -ipu blob.pub -ipr blob.priv >/dev/null
    tssstartauthsession -se p >/dev/null
    tsspolicycommandcode -ha 03000001 -cc 15e
    tssunseal -ha 80000002 -of opened.txt -se0 03000001 1
    cmp secret.txt opened.txt

    step "$TPM_SERVER_TYPE: an NV index; a saved and loaded context"
    tssnvdefinespace -hi o -ha 01000000 -sz 16 -pwdn nv >/dev/null
    tssnvwrite -ha 01000000 -pwdn nv -ic "in the TPM"
    prints "in the TPM" bash -c 'tssnvread -ha 01000000 -pwdn nv -sz 10 -of nv.bin && cat nv.bin'
    tssnvundefinespace -hi o -ha 01000000
    tsscontextsave -ha 80000001 -of key.ctx
    tssflushcontext -ha 80000001
    prints "Handle 80000001" tsscontextload -if key.ctx
    tssreadpublic -ho 80000001 >/dev/null

    local handle
    for handle in 80000000 80000001 80000002 02000000 03000001; do
        tssflushcontext -ha "$handle"
    done
    refused TPM_RC tssreadpublic -ho 80000000
}

# Sessions go from one process to the next.
export TPM_ENCRYPT_SESSIONS=0
export TPM_INTERFACE_TYPE=socsim TPM_SERVER_NAME=127.0.0.1 TPM_DATA_DIR=$folder
for server in mssim raw; do
    export TPM_SERVER_TYPE=$server
    start_bridge --persistent --protocol $server 0
    export TPM_COMMAND_PORT=${first##*:} TPM_PLATFORM_PORT=${second:-0}
    TPM_PLATFORM_PORT=${TPM_PLATFORM_PORT##*:}
    if [[ $server == mssim ]]; then
        step "power and start a TPM that has been started long ago"
        tsspowerup
        tssstartup -c
    fi
    use_the_tpm
    stop_bridge
done

#!/usr/bin/env bash
# tpm2-tools through tbsctl bridge, with the modules that tpm2-tss has for swtpm and for Microsoft's
# simulator.
. "$(dirname "$0")/flow.sh"
. "$(dirname "$0")/bridge.sh"
need tpm2_create openssl
start_tbsd
forgive_wrong_passwords

use_the_tpm() {
    step "$1: start, random bytes, a key that signs"
    tpm2_startup -c
    tpm2_getrandom --hex 16 >/dev/null
    tpm2_createprimary -Q -C o -G ecc -c primary.ctx
    tpm2_create -Q -C primary.ctx -G ecc256 -u key.pub -r key.priv -p secret
    tpm2_load -Q -C primary.ctx -u key.pub -r key.priv -c key.ctx
    echo "some text" >message
    tpm2_sign -Q -c key.ctx -p secret -g sha256 -f plain -o message.sig message
    tpm2_readpublic -Q -c key.ctx -f pem -o key.pem
    openssl dgst -sha256 -verify key.pem -signature message.sig message
    refused 0x98e tpm2_sign -c key.ctx -p wrong -g sha256 -o nothing.sig message

    step "$1: a policy session from one tool to the next"
    tpm2_startauthsession -S session.ctx --policy-session
    tpm2_policypcr -Q -S session.ctx -l sha256:16
    tpm2_flushcontext session.ctx
    tpm2_pcrread -Q sha256:16
}

# This module connects anew for every command. Then the tools leave their objects on the TPM, as on
# one without a resource manager.
start_bridge --persistent --protocol swtpm "$folder/bridge"
export TPM2TOOLS_TCTI=swtpm:path=$first
use_the_tpm "swtpm, Unix socket"
stop_bridge
start_bridge --persistent --protocol swtpm 0
export TPM2TOOLS_TCTI=swtpm:host=127.0.0.1,port=${first##*:}
use_the_tpm "swtpm, TCP"
stop_bridge
start_bridge --protocol mssim 0
export TPM2TOOLS_TCTI=mssim:host=127.0.0.1,port=${first##*:}
use_the_tpm "mssim"

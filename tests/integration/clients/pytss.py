"""ESYS and FAPI of tpm2-pytss: a context with keys and sessions, and a FAPI keystore of its own."""

import json
import os
import sys

from tpm2_pytss import ESAPI, FAPI, FAPIConfig
from tpm2_pytss.constants import ESYS_TR, TPM2_ALG, TPM2_SE
from tpm2_pytss.types import (
    TPM2B_PUBLIC, TPM2B_SENSITIVE_CREATE, TPMT_SIG_SCHEME, TPMT_SYM_DEF, TPMU_SYM_KEY_BITS,
    TPMU_SYM_MODE)

AES = TPMT_SYM_DEF(
    algorithm=TPM2_ALG.AES,
    keyBits=TPMU_SYM_KEY_BITS(aes=128),
    mode=TPMU_SYM_MODE(aes=TPM2_ALG.CFB))
SCHEME = TPMT_SIG_SCHEME(scheme=TPM2_ALG.NULL)


def esys(tcti: str) -> None:
    with ESAPI(tcti) as tpm:
        assert len(bytes(tpm.get_random(20))) == 20
        parent, *_ = tpm.create_primary(TPM2B_SENSITIVE_CREATE(), "ecc")
        template = TPM2B_PUBLIC.parse(
            "ecc256:ecdsa-sha256",
            "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign")
        keys = []
        for _ in range(6):
            private, public, *_ = tpm.create(parent, TPM2B_SENSITIVE_CREATE(), template)
            keys.append(tpm.load(parent, private, public))
        session = tpm.start_auth_session(
            parent, ESYS_TR.NONE, TPM2_SE.HMAC,
            AES, TPM2_ALG.SHA256)
        digest, ticket = tpm.hash(b"some text", TPM2_ALG.SHA256, ESYS_TR.OWNER)
        for turn in range(3):
            for key in keys:
                signature = tpm.sign(key, digest, SCHEME, ticket, session1=session)
                tpm.verify_signature(key, digest, signature)
        for handle in [*keys, session, parent]:
            tpm.flush_context(handle)


def fapi(tcti: str, provisioned: str) -> None:
    """`provisioned` names the configuration of a keystore that an administrator has made; without
    it, one is made here."""
    if provisioned:
        with open(provisioned, encoding="utf-8") as file:
            config = FAPIConfig(json.load(file), temp_dirs=False)
    else:
        config = FAPIConfig(
            temp_dirs=True, tcti=tcti, ek_cert_less="yes", profile_name="P_ECCP256SHA256")
    with config:
        with FAPI() as api:
            if not provisioned:
                api.provision(is_provisioned_ok=True)
            key = "HS/SRK/signer"
            assert api.create_key(key, type_="sign")
            signature, *_ = api.sign(key, digest=bytes(range(32)))
            api.verify_signature(key, bytes(range(32)), signature)
            sealed = "HS/SRK/sealed"
            assert api.create_seal(sealed, data=b"the secret")
            assert api.unseal(sealed) == b"the secret"
            nv = "/nv/Owner/index"
            api.create_nv(nv, 10)
            api.nv_write(nv, b"1234567890")
            assert api.nv_read(nv)[0] == b"1234567890"
            info = json.loads(api.get_info())
            assert info["capabilities"]
            api.delete(nv)
            api.delete(key if provisioned else "/")


if __name__ == "__main__":
    esys(os.environ["TPM2TOOLS_TCTI"])
    print("ESYS: done")
    fapi(os.environ["TPM2TOOLS_TCTI"], sys.argv[1] if len(sys.argv) > 1 else "")
    print("FAPI: done")

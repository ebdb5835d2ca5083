/* ESYS as a program with much to do uses it: 50 keys and 10 sessions in one context, which the TPM
 * could not hold at once. Every key signs with sessions of all kinds in turn, and the signature is
 * verified. Half of what is loaded is flushed in the end; the other half is left to the daemon. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

enum { kKeys = 50, kSessions = 10, kSignatures = 200 };

static void check(TSS2_RC rc, const char* what, int which) {
  if (rc == TSS2_RC_SUCCESS) return;
  fprintf(stderr, "%s (%d): 0x%08x\n", what, which, rc);
  exit(1);
}

static const TPMT_SYM_DEF kAes = {
    .algorithm = TPM2_ALG_AES, .keyBits = {.aes = 128}, .mode = {.aes = TPM2_ALG_CFB}};

static TPM2B_PUBLIC ecc(int parent) {
  TPM2B_PUBLIC made = {
      .publicArea = {.type = TPM2_ALG_ECC,
                     .nameAlg = TPM2_ALG_SHA256,
                     .objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                         TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH,
                     .parameters = {.eccDetail = {.symmetric = {.algorithm = TPM2_ALG_NULL},
                                                  .scheme = {.scheme = TPM2_ALG_NULL},
                                                  .curveID = TPM2_ECC_NIST_P256,
                                                  .kdf = {.scheme = TPM2_ALG_NULL}}}}};
  if (parent) {
    made.publicArea.objectAttributes |= TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
    made.publicArea.parameters.eccDetail.symmetric = (TPMT_SYM_DEF_OBJECT){
        .algorithm = TPM2_ALG_AES, .keyBits = {.aes = 128}, .mode = {.aes = TPM2_ALG_CFB}};
  } else {
    made.publicArea.objectAttributes |= TPMA_OBJECT_SIGN_ENCRYPT;
    made.publicArea.parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDSA;
    made.publicArea.parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
  }
  return made;
}

static const TPM2B_AUTH kPassword = {.size = 4, .buffer = "word"};

static ESYS_TR make_parent(ESYS_CONTEXT* esys) {
  const TPM2B_SENSITIVE_CREATE nothing = {0};
  const TPM2B_PUBLIC template = ecc(1);
  const TPM2B_DATA outside = {0};
  const TPML_PCR_SELECTION pcrs = {0};
  ESYS_TR parent;
  check(Esys_CreatePrimary(esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                           &nothing, &template, &outside, &pcrs, &parent, NULL, NULL, NULL, NULL),
        "CreatePrimary", 0);
  return parent;
}

static ESYS_TR make_key(ESYS_CONTEXT* esys, ESYS_TR parent, ESYS_TR session, int which) {
  TPM2B_SENSITIVE_CREATE sensitive = {.sensitive = {.userAuth = kPassword}};
  const TPM2B_PUBLIC template = ecc(0);
  const TPM2B_DATA outside = {0};
  const TPML_PCR_SELECTION pcrs = {0};
  TPM2B_PRIVATE* private = NULL;
  TPM2B_PUBLIC* public = NULL;
  ESYS_TR key;
  check(Esys_Create(esys, parent, session, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &template,
                    &outside, &pcrs, &private, &public, NULL, NULL, NULL),
        "Create", which);
  check(Esys_Load(esys, parent, session, ESYS_TR_NONE, ESYS_TR_NONE, private, public, &key), "Load",
        which);
  check(Esys_TR_SetAuth(esys, key, &kPassword), "SetAuth", which);
  Esys_Free(private);
  Esys_Free(public);
  return key;
}

/* Sessions in turn: bound to nothing, salted by the parent, bound to the parent; all encrypt. */
static ESYS_TR make_session(ESYS_CONTEXT* esys, ESYS_TR parent, int which) {
  const ESYS_TR salt = which % 3 == 1 ? parent : ESYS_TR_NONE;
  const ESYS_TR bound = which % 3 == 2 ? parent : ESYS_TR_NONE;
  ESYS_TR session;
  check(Esys_StartAuthSession(esys, salt, bound, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, NULL,
                              TPM2_SE_HMAC, &kAes, TPM2_ALG_SHA256, &session),
        "StartAuthSession", which);
  const TPMA_SESSION attributes =
      TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT;
  check(Esys_TRSess_SetAttributes(esys, session, attributes, 0xff), "SetAttributes", which);
  return session;
}

static void sign_and_verify(ESYS_CONTEXT* esys, ESYS_TR key, ESYS_TR session, int which) {
  TPM2B_DIGEST digest = {.size = 32};
  memset(digest.buffer, which, digest.size);
  const TPMT_SIG_SCHEME scheme = {.scheme = TPM2_ALG_NULL};
  const TPMT_TK_HASHCHECK ticket = {.tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL};
  TPMT_SIGNATURE* signature = NULL;
  check(Esys_TRSess_SetAttributes(esys, session, 0, TPMA_SESSION_ENCRYPT), "SetAttributes", which);
  check(Esys_Sign(esys, key, session, ESYS_TR_NONE, ESYS_TR_NONE, &digest, &scheme, &ticket,
                  &signature),
        "Sign", which);
  TPMT_TK_VERIFIED* verified = NULL;
  check(Esys_VerifySignature(esys, key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &digest,
                             signature, &verified),
        "VerifySignature", which);
  Esys_Free(verified);
  digest.buffer[0] ^= 1;
  if (Esys_VerifySignature(esys, key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &digest, signature,
                           &verified) == TSS2_RC_SUCCESS) {
    fprintf(stderr, "key %d verifies the signature of another digest\n", which);
    exit(1);
  }
  Esys_Free(signature);
}

int main(int argc, char** argv) {
  TSS2_TCTI_CONTEXT* tcti = NULL;
  ESYS_CONTEXT* esys = NULL;
  ESYS_TR keys[kKeys];
  ESYS_TR sessions[kSessions];
  if (argc != 2) return 2;
  check(Tss2_TctiLdr_Initialize(argv[1], &tcti), "Initialize", 0);
  check(Esys_Initialize(&esys, tcti, NULL), "Initialize", 1);
  const ESYS_TR parent = make_parent(esys);
  for (int i = 0; i < kSessions; ++i) sessions[i] = make_session(esys, parent, i);
  for (int i = 0; i < kKeys; ++i) keys[i] = make_key(esys, parent, sessions[i % kSessions], i);
  for (int i = 0; i < kSignatures; ++i) {
    sign_and_verify(esys, keys[i * 7 % kKeys], sessions[i % kSessions], i);
  }
  for (int i = 0; i < kKeys; i += 2) check(Esys_FlushContext(esys, keys[i]), "FlushContext", i);
  for (int i = 0; i < kSessions; i += 2) {
    check(Esys_FlushContext(esys, sessions[i]), "FlushContext", i);
  }
  Esys_Finalize(&esys);
  Tss2_TctiLdr_Finalize(&tcti);
  printf("%d keys, %d sessions, %d signatures\n", kKeys, kSessions, kSignatures);
  return 0;
}

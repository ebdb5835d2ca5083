/* FAPI: a keystore is provisioned on the TPM, used in each of the usual ways, and deleted:
   fapi_program [provision] [use] [delete], in that order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tss2/tss2_fapi.h>

static void check(TSS2_RC rc, const char* what) {
  if (rc == TSS2_RC_SUCCESS) return;
  fprintf(stderr, "%s: 0x%08x\n", what, rc);
  exit(1);
}

static void expect(int true, const char* what) {
  if (true) return;
  fprintf(stderr, "not so: %s\n", what);
  exit(1);
}

static void sign_and_verify(FAPI_CONTEXT* fapi, const char* path) {
  uint8_t digest[32] = {1, 2, 3};
  uint8_t* signature = NULL;
  size_t size = 0;
  check(Fapi_Sign(fapi, path, NULL, digest, sizeof digest, &signature, &size, NULL, NULL),
        "Fapi_Sign");
  check(Fapi_VerifySignature(fapi, path, digest, sizeof digest, signature, size),
        "Fapi_VerifySignature");
  digest[0] ^= 1;
  expect(
      Fapi_VerifySignature(fapi, path, digest, sizeof digest, signature, size) != TSS2_RC_SUCCESS,
      "the signature of another digest is refused");
  Fapi_Free(signature);
}

static void seal(FAPI_CONTEXT* fapi) {
  const uint8_t secret[] = "the secret";
  uint8_t* back = NULL;
  size_t size = 0;
  check(Fapi_CreateSeal(fapi, "HS/SRK/sealed", NULL, sizeof secret, NULL, NULL, secret),
        "Fapi_CreateSeal");
  check(Fapi_Unseal(fapi, "HS/SRK/sealed", &back, &size), "Fapi_Unseal");
  expect(size == sizeof secret && memcmp(back, secret, size) == 0, "the secret comes back");
  Fapi_Free(back);
}

static void use_nv(FAPI_CONTEXT* fapi) {
  uint8_t data[1000];
  uint8_t* back = NULL;
  size_t size = 0;
  for (size_t i = 0; i < sizeof data; ++i) data[i] = (uint8_t)i;
  check(Fapi_CreateNv(fapi, "/nv/Owner/index", "noda", sizeof data, NULL, NULL), "Fapi_CreateNv");
  check(Fapi_NvWrite(fapi, "/nv/Owner/index", data, sizeof data), "Fapi_NvWrite");
  check(Fapi_NvRead(fapi, "/nv/Owner/index", &back, &size, NULL), "Fapi_NvRead");
  expect(size == sizeof data && memcmp(back, data, size) == 0, "the data come back");
  Fapi_Free(back);
  check(Fapi_Delete(fapi, "/nv/Owner/index"), "Fapi_Delete");
}

static void quote(FAPI_CONTEXT* fapi) {
  uint32_t pcrs[] = {0, 7};
  const uint8_t nonce[20] = {4, 5, 6};
  char* info = NULL;
  char* log = NULL;
  uint8_t* signature = NULL;
  size_t size = 0;
  check(Fapi_CreateKey(fapi, "HS/SRK/attest", "sign,restricted,noda", NULL, NULL),
        "Fapi_CreateKey");
  check(Fapi_Quote(fapi, pcrs, 2, "HS/SRK/attest", "TPM-Quote", nonce, sizeof nonce, &info,
                   &signature, &size, &log, NULL),
        "Fapi_Quote");
  check(Fapi_VerifyQuote(fapi, "HS/SRK/attest", nonce, sizeof nonce, info, signature, size, log),
        "Fapi_VerifyQuote");
  Fapi_Free(info);
  Fapi_Free(log);
  Fapi_Free(signature);
}

static void use(FAPI_CONTEXT* fapi) {
  uint8_t* random = NULL;
  char* info = NULL;
  check(Fapi_GetRandom(fapi, 100, &random), "Fapi_GetRandom");
  check(Fapi_GetInfo(fapi, &info), "Fapi_GetInfo");
  check(Fapi_CreateKey(fapi, "HS/SRK/signer", "sign,noda", NULL, NULL), "Fapi_CreateKey");
  for (int i = 0; i < 10; ++i) sign_and_verify(fapi, "HS/SRK/signer");
  seal(fapi);
  use_nv(fapi);
  quote(fapi);
  Fapi_Free(random);
  Fapi_Free(info);
}

static void take_step(FAPI_CONTEXT* fapi, const char* step) {
  if (strcmp(step, "provision") == 0) {
    check(Fapi_Provision(fapi, NULL, NULL, NULL), "Fapi_Provision");
  } else if (strcmp(step, "use") == 0) {
    use(fapi);
  } else {
    check(Fapi_Delete(fapi, "/"), "Fapi_Delete");
  }
}

int main(int argc, char** argv) {
  FAPI_CONTEXT* fapi = NULL;
  check(Fapi_Initialize(&fapi, NULL), "Fapi_Initialize");
  for (int i = 1; i < argc; ++i) take_step(fapi, argv[i]);
  Fapi_Finalize(&fapi);
  puts("FAPI: done");
  return 0;
}

#include "client/tbsctl/response_code/rc_text.h"

#include <tss2/tss2_common.h>
#include <tss2/tss2_tpm2_types.h>

#include "client/tbsctl/response_code/rc_tables.h"
#include "tests/support/catch2.h"

using namespace tbs::ctl;

namespace {

// The numbers of tpm2-tss are an independent copy of the specification's.
struct Known {
  std::uint32_t code;
  std::string name;
};

#define KNOWN(name)                 \
  Known {                           \
    TPM2_RC_##name, "TPM_RC_" #name \
  }

const std::vector<Known> kKnown = {
    KNOWN(INITIALIZE),
    KNOWN(FAILURE),
    KNOWN(SEQUENCE),
    KNOWN(PRIVATE),
    KNOWN(HMAC),
    KNOWN(DISABLED),
    KNOWN(EXCLUSIVE),
    KNOWN(AUTH_TYPE),
    KNOWN(AUTH_MISSING),
    KNOWN(POLICY),
    KNOWN(PCR),
    KNOWN(PCR_CHANGED),
    KNOWN(UPGRADE),
    KNOWN(TOO_MANY_CONTEXTS),
    KNOWN(AUTH_UNAVAILABLE),
    KNOWN(REBOOT),
    KNOWN(UNBALANCED),
    KNOWN(COMMAND_SIZE),
    KNOWN(COMMAND_CODE),
    KNOWN(AUTHSIZE),
    KNOWN(AUTH_CONTEXT),
    KNOWN(NV_RANGE),
    KNOWN(NV_SIZE),
    KNOWN(NV_LOCKED),
    KNOWN(NV_AUTHORIZATION),
    KNOWN(NV_UNINITIALIZED),
    KNOWN(NV_SPACE),
    KNOWN(NV_DEFINED),
    KNOWN(BAD_CONTEXT),
    KNOWN(CPHASH),
    KNOWN(PARENT),
    KNOWN(NEEDS_TEST),
    KNOWN(NO_RESULT),
    KNOWN(SENSITIVE),
    KNOWN(ASYMMETRIC),
    KNOWN(ATTRIBUTES),
    KNOWN(HASH),
    KNOWN(VALUE),
    KNOWN(HIERARCHY),
    KNOWN(KEY_SIZE),
    KNOWN(MGF),
    KNOWN(MODE),
    KNOWN(TYPE),
    KNOWN(HANDLE),
    KNOWN(KDF),
    KNOWN(RANGE),
    KNOWN(AUTH_FAIL),
    KNOWN(NONCE),
    KNOWN(PP),
    KNOWN(SCHEME),
    KNOWN(SIZE),
    KNOWN(SYMMETRIC),
    KNOWN(TAG),
    KNOWN(SELECTOR),
    KNOWN(INSUFFICIENT),
    KNOWN(SIGNATURE),
    KNOWN(KEY),
    KNOWN(POLICY_FAIL),
    KNOWN(INTEGRITY),
    KNOWN(TICKET),
    KNOWN(RESERVED_BITS),
    KNOWN(BAD_AUTH),
    KNOWN(EXPIRED),
    KNOWN(POLICY_CC),
    KNOWN(BINDING),
    KNOWN(CURVE),
    KNOWN(ECC_POINT),
    KNOWN(CONTEXT_GAP),
    KNOWN(OBJECT_MEMORY),
    KNOWN(SESSION_MEMORY),
    KNOWN(MEMORY),
    KNOWN(SESSION_HANDLES),
    KNOWN(OBJECT_HANDLES),
    KNOWN(LOCALITY),
    KNOWN(YIELDED),
    KNOWN(CANCELED),
    KNOWN(TESTING),
    KNOWN(REFERENCE_H0),
    KNOWN(REFERENCE_H6),
    KNOWN(REFERENCE_S0),
    KNOWN(REFERENCE_S6),
    KNOWN(NV_RATE),
    KNOWN(LOCKOUT),
    KNOWN(RETRY),
    KNOWN(NV_UNAVAILABLE),
    KNOWN(NOT_USED),
};

#undef KNOWN

void rows_are_ordered(std::span<const RcRow> rows) {
  for (std::size_t i = 1; i < rows.size(); ++i) {
    INFO(rows[i].name);
    CHECK(rows[i - 1].number < rows[i].number);
  }
}

}  // namespace

TEST_CASE("TPM 2.0 codes have the names of the specification", "[tbsctl][rc]") {
  for (const Known& known : kKnown) {
    INFO(known.name);
    const RcText rc = describe_tpm20(known.code);
    CHECK(rc.name == known.name);
    CHECK(rc.where.empty());
    CHECK_FALSE(rc.text.empty());
  }
  CHECK(describe_tpm20(0).name == "TPM_RC_SUCCESS");
}

TEST_CASE("format 1 codes say which handle, session or parameter", "[tbsctl][rc]") {
  CHECK(describe_tpm20(TPM2_RC_VALUE + TPM2_RC_P + TPM2_RC_2).where == "parameter 2");
  CHECK(describe_tpm20(TPM2_RC_VALUE + TPM2_RC_P + TPM2_RC_F).where == "parameter 15");
  CHECK(describe_tpm20(TPM2_RC_HANDLE + TPM2_RC_H + TPM2_RC_1).where == "handle 1");
  CHECK(describe_tpm20(TPM2_RC_HANDLE + TPM2_RC_H + TPM2_RC_7).where == "handle 7");
  CHECK(describe_tpm20(TPM2_RC_AUTH_FAIL + TPM2_RC_S + TPM2_RC_1).where == "session 1");
  CHECK(describe_tpm20(TPM2_RC_AUTH_FAIL + TPM2_RC_S + TPM2_RC_1).name == "TPM_RC_AUTH_FAIL");
  CHECK(describe_tpm20(TPM2_RC_POLICY_CC + TPM2_RC_P + TPM2_RC_3).name == "TPM_RC_POLICY_CC");
}

TEST_CASE("software layers are named", "[tbsctl][rc]") {
  const RcText blocked = describe_tpm20(TSS2_RESMGR_RC_LAYER + TPM2_RC_COMMAND_CODE);
  CHECK(blocked.name == "TPM_RC_COMMAND_CODE");
  CHECK(blocked.where == "resource manager");
  const RcText handle =
      describe_tpm20(TSS2_RESMGR_TPM_RC_LAYER + TPM2_RC_HANDLE + TPM2_RC_P + TPM2_RC_1);
  CHECK(handle.name == "TPM_RC_HANDLE");
  CHECK(handle.where == "resource manager, parameter 1");
  CHECK(describe_tpm20(TSS2_TCTI_RC_IO_ERROR).name == "TSS2_TCTI_RC_IO_ERROR");
  CHECK(describe_tpm20(TSS2_RESMGR_RC_LAYER + TSS2_BASE_RC_NOT_PERMITTED).name ==
        "TSS2_RESMGR_RC_NOT_PERMITTED");
  CHECK(describe_tpm20(0x00050001).name == "unknown code");
  CHECK(describe_tpm20(0x00050001).text == "from software layer 5");
}

TEST_CASE("codes of the service itself are told from those of the TPM", "[tbsctl][rc]") {
  const RcText blocked = describe_tpm20(0x80280400);
  CHECK(blocked.name == "TPM_E_COMMAND_BLOCKED");
  CHECK(blocked.where == "TBS service");
  CHECK(blocked.text.find("blocked by the service") != std::string::npos);
  CHECK(describe_tpm12(0x80280400).name == "TPM_E_COMMAND_BLOCKED");
  CHECK(describe_tpm20(0x8028400D).name == "TBS_E_COMMAND_CANCELED");
  CHECK(describe_tpm20(0x80280922).name == "TPM_RC_RETRY");
}

TEST_CASE("TPM 1.2 codes are told by the tag of the response", "[tbsctl][rc]") {
  CHECK(describe_response({.tag = 0x00C4, .size = 10, .code = 1}).name == "TPM_AUTHFAIL");
  CHECK(describe_response({.tag = 0x00C6, .size = 10, .code = 0x802}).name == "TPM_DOING_SELFTEST");
  CHECK(describe_response({.tag = 0x00C4, .size = 10, .code = 0}).name == "TPM_SUCCESS");
  // What a TPM 2.0 answers to a tag it does not know.
  CHECK(describe_response({.tag = 0x00C4, .size = 10, .code = TPM2_RC_BAD_TAG}).name ==
        "TPM_BADTAG");
  CHECK(describe_response({.tag = 0x8001, .size = 10, .code = 0x101}).name == "TPM_RC_FAILURE");
  CHECK(describe_tpm12(0x401).name == "vendor code");
  CHECK(describe_tpm12(0x7F).name == "unknown code");
}

TEST_CASE("every code has a text", "[tbsctl][rc]") {
  for (std::uint32_t code = 0; code < 0x20000; ++code) {
    const RcText rc = describe_tpm20(code);
    REQUIRE_FALSE(rc.name.empty());
    REQUIRE_FALSE(rc.text.empty());
  }
  CHECK(describe_tpm20(0x500).name == "vendor code");
  CHECK(describe_tpm20(0x17E).name == "unknown code");
  CHECK(describe_tpm20(0xFFFFFFFF).name == "unknown code");
}

TEST_CASE("no table has a number twice", "[tbsctl][rc]") {
  rows_are_ordered(format1_rows());
  rows_are_ordered(format0_rows());
  rows_are_ordered(warning_rows());
  rows_are_ordered(tpm12_rows());
  rows_are_ordered(tss_base_rows());
  rows_are_ordered(service_rows());
  rows_are_ordered(layer_rows());
}

TEST_CASE("the line for people has name, number, place and text", "[tbsctl][rc]") {
  CHECK(rc_line(0x2C4, describe_tpm20(0x2C4)) ==
        "TPM_RC_VALUE (0x000002C4), parameter 2: the value is out of range or does not fit the "
        "context");
  CHECK(rc_line(0, describe_tpm20(0)) == "TPM_RC_SUCCESS (0x00000000): success");
}

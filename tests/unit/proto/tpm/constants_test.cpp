#include "proto/tpm/constants.h"

#include "tests/support/catch2.h"

using namespace tbs::tpm;

TEST_CASE("a handle says what it is", "[proto][tpm]") {
  CHECK(handle_type(0x00000007) == HandleType::Pcr);
  CHECK(handle_type(0x01800001) == HandleType::NvIndex);
  CHECK(handle_type(kRhOwner) == HandleType::Permanent);
  CHECK(handle_type(0x81000001) == HandleType::Persistent);
  CHECK(is_transient(0x80000000));
  CHECK(is_transient(0x80FFFFFF));
  CHECK_FALSE(is_transient(0x81000000));
  CHECK(is_session(0x02000000));
  CHECK(is_session(0x03FFFFFF));
  CHECK_FALSE(is_session(0x04000000));
  CHECK_FALSE(is_session(kPasswordSession));
}

TEST_CASE("a handle has a range and a number", "[proto][tpm]") {
  CHECK(handle_index(0x02000001) == handle_index(0x03000001));
  CHECK(handle_index(0x80FFFFFF) == 0xFFFFFF);
  CHECK(handle_range(0x03ABCDEF) == kSavedSessionFirst);
  CHECK((handle_range(0x80000005) | handle_index(0x80000005)) == 0x80000005);
}

// What tpm2-tss has not got, beside what it has.
TEST_CASE("numbers of our own stand where the specification has them", "[proto][tpm]") {
  CHECK(cc::kEccEncrypt == TPM2_CC_ACT_SetTimeout + 1);
  CHECK(cc::kFirst == 0x11F);
  CHECK(cc::kLast >= cc::kPolicyTransportSpdm);
  CHECK(cc::kVendorBit == TPM2_CC_Vendor_TCG_Test);
  CHECK(kSavedObject == 0x80000000);
  CHECK(kSavedSequence == 0x80000001);
  CHECK(kSavedStClearObject == 0x80000002);
}

#include "proto/tpm/response_code.h"

#include "tests/support/catch2.h"

using namespace tbs::tpm;

TEST_CASE("a format-one code says what it is about", "[proto][tpm][response_code]") {
  CHECK(at_handle(rc::kHandle, 2) == 0x28B);
  CHECK(at_parameter(rc::kHandle, 1) == 0x1CB);
  CHECK(at_session(rc::kInsufficient, 1) == 0x99A);
}

TEST_CASE("the position can be taken off again", "[proto][tpm][response_code]") {
  for (std::uint32_t number = 1; number <= 7; ++number) {
    CHECK(without_position(at_handle(rc::kValue, number)) == rc::kValue);
    CHECK(without_position(at_parameter(rc::kValue, number)) == rc::kValue);
    CHECK(without_position(at_session(rc::kValue, number)) == rc::kValue);
  }
  CHECK(without_position(rc::kRetry) == rc::kRetry);
  CHECK(without_position(rc::kInitialize) == rc::kInitialize);
  CHECK(without_position(rc::kSuccess) == rc::kSuccess);
}

TEST_CASE("failures that the TPM counts are known wherever they are", "[proto][tpm]") {
  CHECK(is_auth_fail(rc::kAuthFail));
  CHECK(is_auth_fail(at_session(rc::kAuthFail, 1)));
  CHECK(is_auth_fail(at_parameter(rc::kAuthFail, 3)));
  CHECK_FALSE(is_auth_fail(at_session(rc::kBadAuth, 1)));
  CHECK_FALSE(is_auth_fail(rc::kLockout));
  CHECK_FALSE(is_auth_fail(0x10E));  // the same number in format zero
}

TEST_CASE("the resource manager's codes carry its layer", "[proto][tpm][response_code]") {
  CHECK(by_resource_manager(rc::kFailure) == 0x000B0101);
  CHECK((by_resource_manager(rc::kMemory) & TSS2_RC_LAYER_MASK) >> rc::kLayerShift == 11);
}

#include "client/tcti/tcti_status.h"

#include <tss2/tss2_tpm2_types.h>

#include "tests/support/catch2.h"

using tbs::proto::Status;
using namespace tbs::tcti;

TEST_CASE("what goes wrong with a command is a response that ESYS accepts", "[tcti][status]") {
  REQUIRE(response_code(Status::CommandCanceled) == 0x909U);
  REQUIRE(response_code(Status::IoError) == 0x000b000aU);
  REQUIRE(response_code(Status::TooManyResources) == 0x000b0017U);
  REQUIRE(response_code(Status::AccessDenied) == 0x000b000cU);
  REQUIRE(response_code(Status::BadParameter) == 0x000b000bU);
  // Also when it is the connection that has ended.
  REQUIRE(response_code(Status::ServiceNotRunning) == 0x000b0008U);
  REQUIRE(response_code(Status::ServiceStartPending) == 0x000b0008U);
  REQUIRE(response_code(Status::TooManyContexts) == 0x000b0017U);
  REQUIRE(response_code(Status::InternalError) == 0x000b0001U);
}

TEST_CASE("no status makes ESYS wait or send the command again", "[tcti][status]") {
  for (std::uint32_t number = 0x80284001; number <= 0x80284016; ++number) {
    const std::uint32_t code = response_code(static_cast<Status>(number));
    INFO(number);
    CHECK((code == TPM2_RC_CANCELED || (code & TSS2_RC_LAYER_MASK) == TSS2_RESMGR_RC_LAYER));
    CHECK((code & ~TSS2_RC_LAYER_MASK) != TSS2_BASE_RC_TRY_AGAIN);
  }
}

TEST_CASE("a connection that cannot be made is a return code", "[tcti][status]") {
  REQUIRE(connection_code(Status::Success) == TSS2_RC_SUCCESS);
  REQUIRE(connection_code(Status::ServiceNotRunning) == TSS2_TCTI_RC_NO_CONNECTION);
  REQUIRE(connection_code(Status::ServiceStartPending) == TSS2_TCTI_RC_TRY_AGAIN);
  REQUIRE(connection_code(Status::AccessDenied) == TSS2_TCTI_RC_NOT_PERMITTED);
  REQUIRE(connection_code(Status::TpmNotFound) == TSS2_TCTI_RC_NOT_SUPPORTED);
  REQUIRE(connection_code(Status::InternalError) == TSS2_TCTI_RC_GENERAL_FAILURE);
}

#include "client/tcti/tcti_status.h"

#include "tests/support/catch2.h"

using tbs::proto::Status;
using namespace tbs::tcti;

TEST_CASE("what goes wrong with a command is a response that ESYS accepts", "[tcti][status]") {
  REQUIRE(response_code(Status::CommandCanceled) == 0x909U);
  REQUIRE(response_code(Status::IoError) == 0x000b000aU);
  REQUIRE(response_code(Status::TooManyResources) == 0x000b0017U);
  REQUIRE(response_code(Status::AccessDenied) == 0x000b000cU);
  REQUIRE(response_code(Status::BadParameter) == 0x000b000bU);
}

TEST_CASE("what ends the connection is a return code", "[tcti][status]") {
  for (const Status status : {Status::ServiceNotRunning, Status::InternalError}) {
    REQUIRE_FALSE(response_code(status).has_value());
  }
  REQUIRE(connection_code(Status::Success) == TSS2_RC_SUCCESS);
  REQUIRE(connection_code(Status::ServiceNotRunning) == TSS2_TCTI_RC_NO_CONNECTION);
  REQUIRE(connection_code(Status::ServiceStartPending) == TSS2_TCTI_RC_TRY_AGAIN);
  REQUIRE(connection_code(Status::AccessDenied) == TSS2_TCTI_RC_NOT_PERMITTED);
  REQUIRE(connection_code(Status::TpmNotFound) == TSS2_TCTI_RC_NOT_SUPPORTED);
  REQUIRE(connection_code(Status::InternalError) == TSS2_TCTI_RC_GENERAL_FAILURE);
}

#include "proto/status.h"

#include "tests/support/catch2.h"

using tbs::proto::Status;

TEST_CASE("every status has a name and a text of its own", "[proto][status]") {
  REQUIRE(status_name(Status::Success) == "TBS_SUCCESS");
  REQUIRE(status_name(Status::CommandCanceled) == "TBS_E_COMMAND_CANCELED");
  REQUIRE(status_name(Status::ProvisioningIncomplete) == "TBS_E_PROVISIONING_INCOMPLETE");
  for (std::uint32_t code = 0x80284001; code <= 0x80284016; ++code) {
    REQUIRE(status_name(static_cast<Status>(code)) != "TBS_E_UNKNOWN");
    REQUIRE_FALSE(status_text(static_cast<Status>(code)).empty());
  }
}

TEST_CASE("a number that is no TBS code is named as such", "[proto][status]") {
  REQUIRE(status_name(static_cast<Status>(0x80284017)) == "TBS_E_UNKNOWN");
  REQUIRE(status_name(static_cast<Status>(1)) == "TBS_E_UNKNOWN");
}

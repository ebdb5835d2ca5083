#include "client/tcti/tcti_log.h"

#include "tests/support/catch2.h"

using tbs::tcti::log_level_of;
using tbs::tcti::LogLevel;

TEST_CASE("TSS2_LOG sets the level as it does for the rest of tpm2-tss", "[tcti][log]") {
  REQUIRE(log_level_of("") == LogLevel::Warning);
  REQUIRE(log_level_of("all+none") == LogLevel::None);
  REQUIRE(log_level_of("all+NONE") == LogLevel::None);
  REQUIRE(log_level_of("tcti+error") == LogLevel::Error);
  REQUIRE(log_level_of("esys+debug") == LogLevel::Warning);
  REQUIRE(log_level_of("all+error,tcti+debug") == LogLevel::Debug);
  REQUIRE(log_level_of("tcti+debug,esys+none") == LogLevel::Debug);
  REQUIRE(log_level_of("all+trace") == LogLevel::Debug);
  REQUIRE(log_level_of("nonsense,tcti+,+,tcti+loud") == LogLevel::Warning);
}

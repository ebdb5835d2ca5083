#include "daemon/tpm/command_class.h"

#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"

using namespace tbs::tpm;
using std::chrono::seconds;

TEST_CASE("deadlines follow what chips were measured to take", "[tpm][command_class]") {
  // Key creation has been seen to take 123 s.
  for (const auto code : {cc::kCreate, cc::kCreatePrimary, cc::kCreateLoaded, cc::kClear}) {
    CHECK(deadline_of(code) >= seconds(246));
  }
  CHECK(deadline_of(cc::kGetRandom) <= seconds(30));
  CHECK(deadline_of(cc::kSign) > deadline_of(cc::kGetRandom));
  CHECK(deadline_of(cc::kSign) < deadline_of(cc::kCreate));
}

TEST_CASE("nothing is assumed of commands that are not known", "[tpm][command_class]") {
  CHECK(deadline_of(cc::kVendorBit | 1) == deadline_of(cc::kCreate));
  CHECK(deadline_of(0) == deadline_of(cc::kCreate));
  CHECK(deadline_of(0xFFFFFFFF) == deadline_of(cc::kCreate));
}

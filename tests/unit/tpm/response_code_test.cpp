#include "daemon/tpm/response_code.h"

#include <vector>

#include "tests/support/catch2.h"

using namespace tbs::tpm;

TEST_CASE("warnings have remedies, errors have none", "[tpm][response_code]") {
  CHECK(remedy_of(0) == Remedy::None);
  CHECK(remedy_of(at_session(rc::kAuthFail, 1)) == Remedy::None);
  CHECK(remedy_of(rc::kLockout) == Remedy::None);
  CHECK(remedy_of(rc::kCanceled) == Remedy::None);
  for (const std::uint32_t code : {rc::kYielded, rc::kTesting, rc::kNvRate, rc::kRetry}) {
    CHECK(remedy_of(code) == Remedy::Wait);
  }
  CHECK(remedy_of(rc::kContextGap) == Remedy::RefreshGap);
  CHECK(remedy_of(rc::kObjectMemory) == Remedy::FreeObject);
  CHECK(remedy_of(rc::kSessionMemory) == Remedy::FreeSession);
  CHECK(remedy_of(rc::kMemory) == Remedy::FreeAny);
  CHECK(remedy_of(rc::kSessionHandles) == Remedy::DropSession);
  CHECK(remedy_of(rc::kObjectHandles) == Remedy::FreeObject);
  CHECK(remedy_of(rc::kInitialize) == Remedy::Start);
  CHECK(remedy_of(rc::kReferenceH0 - 1) == Remedy::None);
  CHECK(remedy_of(rc::kReferenceH0) == Remedy::CheckTables);
  CHECK(remedy_of(rc::kReferenceH6) == Remedy::CheckTables);
  CHECK(remedy_of(rc::kReferenceH6 + 1) == Remedy::None);
  CHECK(remedy_of(rc::kReferenceS6) == Remedy::CheckTables);
}

TEST_CASE("a refusal carries the layer of the resource manager", "[tpm][response_code]") {
  CHECK(refusal(at_handle(rc::kHandle, 2)) ==
        std::vector<std::uint8_t>{0x80, 0x01, 0, 0, 0, 10, 0, 0x0B, 0x02, 0x8B});
  CHECK(bare_response(rc::kFailure)[9] == 0x01);
}

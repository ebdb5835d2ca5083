#include "daemon/tpm/response_code.h"

#include <vector>

#include <catch2/catch.hpp>

using namespace tbs::tpm;

TEST_CASE("warnings have remedies, errors have none", "[tpm][response_code]") {
  CHECK(remedy_of(0) == Remedy::None);
  CHECK(remedy_of(0x98E) == Remedy::None);  // AUTH_FAIL, session 1
  CHECK(remedy_of(0x921) == Remedy::None);  // LOCKOUT
  CHECK(remedy_of(0x909) == Remedy::None);  // CANCELED
  for (const std::uint32_t code : {0x908U, 0x90AU, 0x920U, 0x922U}) {
    CHECK(remedy_of(code) == Remedy::Wait);
  }
  CHECK(remedy_of(0x901) == Remedy::RefreshGap);
  CHECK(remedy_of(0x902) == Remedy::FreeObject);
  CHECK(remedy_of(0x903) == Remedy::FreeSession);
  CHECK(remedy_of(0x904) == Remedy::FreeAny);
  CHECK(remedy_of(0x905) == Remedy::DropSession);
  CHECK(remedy_of(0x906) == Remedy::FreeObject);
  CHECK(remedy_of(0x100) == Remedy::Start);
  CHECK(remedy_of(0x90F) == Remedy::None);
  CHECK(remedy_of(0x910) == Remedy::CheckTables);
  CHECK(remedy_of(0x916) == Remedy::CheckTables);
  CHECK(remedy_of(0x917) == Remedy::None);
  CHECK(remedy_of(0x91E) == Remedy::CheckTables);
}

TEST_CASE("a refusal carries the layer of the resource manager", "[tpm][response_code]") {
  CHECK(refusal(at_handle(rc::kHandle, 2)) ==
        std::vector<std::uint8_t>{0x80, 0x01, 0, 0, 0, 10, 0, 0x0B, 0x02, 0x8B});
  CHECK(at_parameter(rc::kHandle, 1) == 0x1CB);
  CHECK(at_session(rc::kInsufficient, 1) == 0x99A);
  CHECK(bare_response(0x101)[9] == 0x01);
}

#include "daemon/tpm/response_view.h"

#include <vector>

#include "daemon/tpm/response_code.h"
#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"

using namespace tbs::tpm;
using Bytes = std::vector<std::uint8_t>;

namespace {

// A handle, two bytes of parameters, and two sessions of which the first goes on.
const Bytes kResponse = {0x80, 0x02, 0,    0,    0, 31, 0, 0, 0, 0, 0x80, 0, 0, 1, 0, 0,
                         0,    2,    0xAB, 0xCD, 0, 1,  7, 1, 0, 0, 0,    0, 0, 0, 0};

}  // namespace

TEST_CASE("a response is taken apart", "[tpm][response_view]") {
  const auto view = parse_response(kResponse, {.has_handle = true, .session_count = 2});
  REQUIRE(view);
  CHECK(view->success());
  CHECK(view->handle == kTransientFirst + 1);
  REQUIRE(view->parameters.size() == 2);
  CHECK(view->parameters[1] == 0xCD);
  CHECK(view->session_attributes[0] == kContinueSession);
  CHECK(view->session_attributes[1] == 0);
}

TEST_CASE("every cut of a response is refused", "[tpm][response_view]") {
  for (std::size_t size = 0; size < kResponse.size(); ++size) {
    Bytes cut(kResponse.begin(), kResponse.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_FALSE(parse_response(cut, {.has_handle = true, .session_count = 2}));
    if (size < kHeaderSize) continue;
    cut[5] = static_cast<std::uint8_t>(size);
    CHECK_FALSE(parse_response(cut, {.has_handle = true, .session_count = 2}));
  }
}

TEST_CASE("an error needs no shape", "[tpm][response_view]") {
  const auto view =
      parse_response(bare_response(rc::kRetry), {.has_handle = true, .session_count = 3});
  REQUIRE(view);
  CHECK(view->code == rc::kRetry);
}

TEST_CASE("a success without the sessions of its command is no response", "[tpm][response_view]") {
  CHECK_FALSE(
      parse_response(bare_response(rc::kSuccess), {.has_handle = false, .session_count = 1}));
  CHECK(parse_response(bare_response(rc::kSuccess), {}));
}

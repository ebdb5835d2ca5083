#include "daemon/tpm/command_view.h"

#include <array>
#include <vector>

#include "daemon/tpm/response_code.h"
#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/support/command_attributes.h"

using namespace tbs::tpm;
using tbs::test::handles;
using Bytes = std::vector<std::uint8_t>;

namespace {

CommandTable table() {
  constexpr std::array<std::uint32_t, 3> attributes = {
      cc::kSign | handles(1), cc::kEvictControl | handles(2), cc::kGetRandom};
  CommandTable made;
  made.load(attributes);
  return made;
}

std::uint32_t fault_of(const Bytes& command) {
  const auto view = parse_command(command, table());
  return view ? 0 : view.error();
}

// TPM2_EvictControl with a password and an HMAC session, and four bytes of parameters.
const Bytes kEvictControl = {
    0x80, 0x02, 0, 0,  0,    46, 0,    0, 0x01, 0x20,  // header
    0x40, 0,    0, 1,  0x80, 0,  0,    2,              // handles
    0,    0,    0, 20,                                 // size of the authorizations
    0x40, 0,    0, 9,  0,    0,  0x01, 0, 1,    0xAA,  // password
    0x02, 0,    0, 1,  0,    1,  0xBB, 0, 0,    0,     // session with a nonce of one byte
    0x81, 0,    0, 1};

}  // namespace

TEST_CASE("a command is taken apart", "[tpm][command_view]") {
  const CommandTable commands = table();
  const auto view = parse_command(kEvictControl, commands);
  REQUIRE(view);
  CHECK(view->code() == cc::kEvictControl);
  CHECK(view->handles[0] == kRhOwner);
  CHECK(view->handles[1] == kTransientFirst + 2);
  REQUIRE(view->session_count == 2);
  CHECK(view->sessions[0].handle == kPasswordSession);
  CHECK(view->sessions[0].attributes == kContinueSession);
  CHECK(view->sessions[1].handle == TPM2_HMAC_SESSION_FIRST + 1);
  CHECK(view->parameters.size() == 4);
  CHECK(view->parameters[0] == 0x81);
}

TEST_CASE("every cut of a command is refused", "[tpm][command_view]") {
  for (std::size_t size = 0; size + 5 < kEvictControl.size(); ++size) {
    Bytes cut(kEvictControl.begin(), kEvictControl.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK(fault_of(cut) == rc::kCommandSize);
    if (size < kHeaderSize) continue;
    put_be32(cut, 2, static_cast<std::uint32_t>(size));
    CHECK(fault_of(cut) != 0);
  }
}

TEST_CASE("what is wrong with a command is said in its code", "[tpm][command_view]") {
  CHECK(fault_of({}) == rc::kCommandSize);
  CHECK(fault_of({0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x01, 0x7B}) == 0);
  CHECK(fault_of({0x80, 0x03, 0, 0, 0, 10, 0, 0, 0x01, 0x7B}) == rc::kBadTag);
  CHECK(fault_of({0x80, 0x01, 0, 0, 0, 11, 0, 0, 0x01, 0x7B}) == rc::kCommandSize);
  CHECK(fault_of({0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x01, 0x7C}) == rc::kCommandCode);
  CHECK(fault_of({0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x01, 0x5D}) == at_handle(rc::kInsufficient, 1));
  CHECK(fault_of({0x80, 0x02, 0, 0, 0, 12, 0, 0, 0x01, 0x7B, 0, 0}) == rc::kAuthSize);
  CHECK(fault_of({0x80, 0x02, 0, 0, 0, 14, 0, 0, 0x01, 0x7B, 0, 0, 0, 1}) == rc::kAuthSize);
}

TEST_CASE("more than three sessions are refused", "[tpm][command_view]") {
  Bytes command = {0x80, 0x02, 0, 0, 0, 14 + 36, 0, 0, 0x01, 0x7B, 0, 0, 0, 36};
  for (int i = 0; i < 4; ++i) {
    command.insert(command.end(), {0x40, 0, 0, 9, 0, 0, 0, 0, 0});
  }
  CHECK(fault_of(command) == rc::kAuthSize);
}

TEST_CASE("a word is written in place", "[tpm][command_view]") {
  Bytes bytes(6);
  put_be32(bytes, 1, 0x12345678);
  CHECK(bytes == Bytes{0, 0x12, 0x34, 0x56, 0x78, 0});
}

// Commands of TPM 1.2: taken apart, built, classed.

#include "proto/tpm12/commands.h"

#include <vector>

#include "daemon/tpm/command_class.h"
#include "daemon/tpm12/command_class.h"
#include "daemon/tpm12/command_view.h"
#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"

using namespace tbs::tpm12;
using Bytes = std::vector<std::uint8_t>;

namespace {

// TPM_Unseal with two sessions, and four bytes of parameters.
Bytes unseal() {
  Bytes command = {0x00, 0xC3, 0, 0, 0, 108, 0, 0, 0, 0x18, 0x01, 0, 0, 2, 9, 8, 7, 6};
  for (const std::uint8_t session : {std::uint8_t{1}, std::uint8_t{2}}) {
    command.insert(command.end(), {0x02, 0, 0, session});
    command.insert(command.end(), kCommandAuthSize - kHandleSize, session);
  }
  return command;
}

std::uint32_t fault_of(const Bytes& command) {
  const auto view = parse_command(command);
  return view ? 0 : view.error();
}

}  // namespace

TEST_CASE("a TPM 1.2 command is taken apart", "[tpm12]") {
  const Bytes command = unseal();
  const auto view = parse_command(command, 100);
  REQUIRE(view);
  CHECK(view->ordinal == ord::kUnseal);
  CHECK(view->keys[0].value == 0x01000002);
  CHECK(view->keys[0].offset == 110);
  CHECK(view->parameters_offset == 114);
  CHECK(Bytes(view->parameters.begin(), view->parameters.end()) == Bytes{9, 8, 7, 6});
  REQUIRE(view->auth_count == 2);
  CHECK(view->auths[0].handle.value == 0x02000001);
  CHECK(view->auths[0].handle.offset == 118);
  CHECK(view->auths[1].handle.value == 0x02000002);
  CHECK(view->auths[1].handle.offset == 163);
  CHECK(view->auths[1].kind == Kind::Auth);
}

TEST_CASE("every cut of a TPM 1.2 command is refused", "[tpm12]") {
  const Bytes whole = unseal();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK(fault_of(cut) == rc::kBadParamSize);
    if (size < kHeaderSize || size >= 104) continue;
    cut[5] = static_cast<std::uint8_t>(size);
    CHECK(fault_of(cut) == rc::kBadParamSize);
  }
  CHECK(fault_of(whole) == 0);
}

TEST_CASE("a tag says how many sessions there are, and not more than the command takes",
          "[tpm12]") {
  Bytes command = unseal();
  command[1] = 0xC4;
  CHECK(fault_of(command) == rc::kBadTag);
  command[0] = 0x80;
  CHECK(fault_of(command) == rc::kBadTag);
  command = unseal();
  command[9] = 0x17;  // TPM_Seal takes one
  CHECK(fault_of(command) == rc::kBadTag);
  command[9] = 0x26;
  CHECK(fault_of(command) == rc::kBadOrdinal);
}

TEST_CASE("the last session of a transport command is a transport session", "[tpm12]") {
  Bytes command = unseal();
  command[9] = 0xE8;  // TPM_ReleaseTransportSigned
  const auto view = parse_command(command);
  REQUIRE(view);
  CHECK(view->auths[0].kind == Kind::Auth);
  CHECK(view->auths[1].kind == Kind::Transport);
}

TEST_CASE("a wrapped command is found in its transport command", "[tpm12]") {
  const Bytes inner = unseal();
  Bytes outer = {0x00, 0xC2, 0, 0, 0, 167, 0, 0, 0, 0xE7, 0, 0, 0, 108};
  outer.insert(outer.end(), inner.begin(), inner.end());
  outer.insert(outer.end(), kCommandAuthSize, 5);
  const auto view = parse_command(outer);
  REQUIRE(view);
  CHECK(view->auths[0].kind == Kind::Transport);
  const auto wrapped = parse_wrapped_command(*view);
  REQUIRE(wrapped);
  CHECK(wrapped->ordinal == ord::kUnseal);
  CHECK(wrapped->keys[0].offset == 14 + 10);
  CHECK(wrapped->auths[1].handle.offset == 14 + 63);

  outer[13] = 107;
  const auto wrong = parse_command(outer);
  REQUIRE(wrong);
  CHECK(parse_wrapped_command(*wrong).error() == rc::kBadParamSize);
}

TEST_CASE("the table of ordinals", "[tpm12]") {
  REQUIRE(find_ordinal(ord::kLoadKey2) != nullptr);
  CHECK(find_ordinal(ord::kLoadKey2)->creates == Kind::Key);
  CHECK(find_ordinal(ord::kOsap)->creates == Kind::Auth);
  CHECK(find_ordinal(ord::kEstablishTransport)->creates == Kind::Transport);
  CHECK(find_ordinal(ord::kCertifyKey)->keys == 2);
  CHECK(find_ordinal(ord::kFlushSpecific)->keys == 0);
  CHECK(find_ordinal(ord::kOwnerClear)->extensive);
  CHECK(find_ordinal(0x00) == nullptr);
  CHECK(find_ordinal(0x09) == nullptr);
  CHECK(find_ordinal(ord::kTscResetEstablishmentBit + 1) == nullptr);
  REQUIRE(find_ordinal(ord::kVendorBit | 5) != nullptr);
  CHECK(find_ordinal(ord::kVendorBit | 5)->max_auths == 2);
}

TEST_CASE("commands of the daemon's own are well formed", "[tpm12]") {
  const Bytes blob(60, 7);
  for (const Bytes& command :
       {build::save_context(Kind::Auth, 5), build::load_context(3, blob),
        build::flush_specific(3, kResourceContext),
        build::get_capability(cap::kProperty, prop::kKeys), build::startup_clear(),
        build::save_state(), build::continue_self_test()}) {
    CHECK(fault_of(command) == 0);
  }
  const Bytes save = build::save_context(Kind::Transport, 0x1234);
  CHECK(save.size() == 10 + 4 + 4 + 16);
  CHECK(save[12] == 0x12);
  CHECK(save[17] == 4);
  const Bytes load = build::load_context(3, blob);
  CHECK(load[14] == 0);  // keepHandle
  CHECK(load[18] == 60);
}

TEST_CASE("deadlines of TPM 1.2 commands", "[tpm12]") {
  using std::chrono::seconds;
  CHECK(deadline_of(ord::kGetRandom) == seconds(20));
  CHECK(deadline_of(ord::kSign) == seconds(60));
  CHECK(deadline_of(ord::kTakeOwnership) == seconds(600));
  CHECK(deadline_of(0x1F0) == seconds(600));
  CHECK(is_ordinal(ord::kGetTicks));
  CHECK_FALSE(is_ordinal(tbs::tpm::cc::kFirst));
}

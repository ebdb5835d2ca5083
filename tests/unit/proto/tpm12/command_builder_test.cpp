#include "proto/tpm12/command_builder.h"

#include <array>

#include "proto/tpm12/commands.h"
#include "proto/tpm_header.h"
#include "tests/support/catch2.h"

using namespace tbs;
using proto::Buffer;
using tpm12::CommandBuilder;
namespace ord = tpm12::ord;

TEST_CASE("a TPM 1.2 command without parts is its header", "[proto][tpm12][builder]") {
  CHECK(CommandBuilder(ord::kSaveState).finish() == Buffer{0, 0xC1, 0, 0, 0, 10, 0, 0, 0, 0x98});
}

TEST_CASE("the tag counts the sessions below the line", "[proto][tpm12][builder]") {
  const Buffer session(tpm12::kCommandAuthSize, 0x33);
  const Buffer one = CommandBuilder(ord::kSeal).handle(1).u32(2).authorization(session).finish();
  CHECK(one[1] == 0xC2);
  CHECK(one.size() == 10 + 8 + tpm12::kCommandAuthSize);
  CHECK(one[5] == one.size());
  CHECK(one.back() == 0x33);
  const Buffer two =
      CommandBuilder(ord::kUnseal).authorization(session).authorization(session).finish();
  CHECK(two[1] == 0xC3);
}

TEST_CASE("bytes behind their size", "[proto][tpm12][builder]") {
  CHECK(CommandBuilder(ord::kStirRandom).sized(Buffer{7, 8}).finish() ==
        Buffer{0, 0xC1, 0, 0, 0, 16, 0, 0, 0, 0x47, 0, 0, 0, 2, 7, 8});
}

TEST_CASE("the project's own TPM 1.2 commands are whole", "[proto][tpm12][commands]") {
  namespace build = tpm12::build;
  const Buffer blob(40, 0x5A);
  for (const Buffer& command :
       {build::save_context(tpm12::Kind::Auth, 0x02000001), build::load_context(1, blob),
        build::flush_specific(1, 2), build::get_capability(tpm12::cap::kHandle, 1),
        build::startup_clear(), build::save_state(), build::continue_self_test(),
        build::pcr_read(3), build::extend(12, Buffer(20))}) {
    const auto header = proto::read_tpm_header(command);
    REQUIRE(header);
    CHECK(header->tag == tpm12::kTagCommand);
  }
  CHECK(build::startup_clear() == Buffer{0, 0xC1, 0, 0, 0, 12, 0, 0, 0, 0x99, 0, 1});
  CHECK(build::get_capability(5, 0x103) ==
        Buffer{0, 0xC1, 0, 0, 0, 22, 0, 0, 0, 0x65, 0, 0, 0, 5, 0, 0, 0, 4, 0, 0, 1, 3});
  CHECK(build::extend(12, Buffer(20)).size() == 34);
}

// The texts are what the kernel's tpm_ppi.c prints.

#include "daemon/firmware/presence_request.h"
#include "daemon/firmware/presence_text.h"
#include "tests/support/catch2.h"

using namespace tbs::firmware;
using tbs::proto::Buffer;
using tbs::proto::Status;

namespace {

Buffer words(std::initializer_list<std::uint32_t> values) {
  return presence_integers(values);
}

}  // namespace

TEST_CASE("calls are taken apart", "[machine][presence]") {
  const auto submit = parse_presence(words({7, 23, 0x10}));
  REQUIRE(submit);
  CHECK(submit->function == PresenceFunction::SubmitWithParameter);
  CHECK(submit->operation == 23);
  CHECK(submit->parameter == 0x10);
  CHECK(submit->submits());
  const auto version = parse_presence(words({1}));
  REQUIRE(version);
  CHECK_FALSE(version->submits());
  CHECK_FALSE(parse_presence(words({7, 5}))->parameter);
  CHECK(parse_presence(words({6})).error() == Status::PpiFunctionUnsupported);
  CHECK(parse_presence(words({0})).error() == Status::PpiFunctionUnsupported);
  for (const auto& wrong : {words({}), words({1, 1}), words({2}), words({2, 1, 1}), words({8}),
                            Buffer{1, 0, 0}, Buffer{8, 0, 0, 0, 5, 0}}) {
    CHECK(parse_presence(wrong).error() == Status::BadParameter);
  }
}

TEST_CASE("the kernel's texts become the firmware's numbers", "[machine][presence]") {
  CHECK(presence_version("1.3\n") == Buffer{'1', '.', '3', 0});
  CHECK(presence_version("\n").empty());
  CHECK(presence_version(std::string(33, '1')).empty());
  CHECK(presence_pending("0\n") == words({0, 0}));
  CHECK(presence_pending("23 16\n") == words({0, 23, 16}));
  CHECK_FALSE(presence_pending("none"));
  CHECK(presence_transition("2: Reboot\n") == words({2}));
  CHECK_FALSE(presence_transition(""));
  CHECK(presence_response("0: No Recent Request\n") == words({0, 0, 0}));
  CHECK(presence_response("5 0: Success\n") == words({0, 5, 0}));
  CHECK(presence_response("6 0xFFFFFFF0: User Abort\n") == words({0, 6, 0xFFFFFFF0}));
  CHECK(presence_response("6 0xFFFFFFF1: BIOS Failure\n") == words({0, 6, 0xFFFFFFF1}));
  CHECK(presence_response("14 38: Corresponding TPM error\n") == words({0, 14, 38}));
  CHECK_FALSE(presence_response("5"));
  CHECK_FALSE(presence_response("99999999999: x"));
}

TEST_CASE("an operation is looked up in the list", "[machine][presence]") {
  constexpr std::string_view kList =
      "1 4: Allowed and physically present user NOT required\n"
      "5 3: Allowed and physically present user required\n"
      "\n"
      "broken\n"
      "22 2: Blocked for OS by system firmware configuration";
  CHECK(presence_confirmation(kList, 1) == 4);
  CHECK(presence_confirmation(kList, 5) == 3);
  CHECK(presence_confirmation(kList, 22) == 2);
  CHECK(presence_confirmation(kList, 2) == 0);
  CHECK(presence_confirmation("", 1) == 0);
}

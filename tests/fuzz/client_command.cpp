// A client's command, for either family, and what the rules find in it: whatever the bytes, a
// command is read or it is not, what it carries lies within it, and the filter decides.

#include "tests/support/client_command.h"

#include <cstdint>
#include <cstdlib>

#include "daemon/command/client_response.h"
#include "daemon/policy/authorization_guard.h"
#include "daemon/policy/command_filter.h"
#include "daemon/policy/ownership_guard.h"
#include "proto/rules/rules_parser.h"
#include "proto/tpm/constants.h"
#include "tests/support/command_attributes.h"

using namespace tbs;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

// Looks at everything that a rule can look at.
rules::Rules curious_rules() {
  const std::vector<rules::Source> sources = {
      {.name = "fuzz.conf",
       .text = "block user nv 0x01500000-0x015000ff\nblock user persistent 0x81000001-0x81000010\n"
               "block user pcr 0-3,17\nblock user command 0x5d priority 300-\n"
               "block user hierarchy platform\nblock user handle 0x80000003 owner other\n"}};
  return rules::parse_rules(sources).value();
}

tpm::CommandTable some_commands() {
  const std::vector<std::uint32_t> attributes = {tpm::cc::kGetRandom,
                                                 tpm::cc::kClear | test::handles(1),
                                                 tpm::cc::kNvDefineSpace | test::handles(1),
                                                 tpm::cc::kEvictControl | test::handles(2),
                                                 tpm::cc::kNvRead | test::handles(2),
                                                 tpm::cc::kPcrExtend | test::handles(1),
                                                 TPM2_CC_NV_UndefineSpace | test::handles(2),
                                                 TPM2_CC_NV_Write | test::handles(2),
                                                 tpm::cc::kNvDefineSpace2 | test::handles(1),
                                                 TPM2_CC_Sign | test::handles(1)};
  tpm::CommandTable table;
  table.load(attributes);
  return table;
}

void check(const ClientCommand& command, proto::Bytes response) {
  require(command.header().size == command.bytes().size());
  if (const auto embedded = command.embedded()) {
    require(command.family() == Family::Tpm12);
    require(embedded->data() >= command.bytes().data());
    require(embedded->data() + embedded->size() <= command.bytes().data() + command.bytes().size());
  } else {
    require(command.effective_code() == command.code());
  }
  const tpm::CommandTable table = some_commands();
  policy::AuthorizationGuard guard(
      [] { return MachineTime{.since_boot = 5000, .wall = 1'700'000'000}; });
  policy::Ownership ownership;
  policy::CommandFilter filter(table, guard, ownership);
  filter.set_rules(curious_rules());
  const auto decision = filter.check(command);
  const bool passes = decision.effect == policy::Effect::Pass;
  // The guard holds back what it must, whatever the rules say.
  require(passes || decision.effect == policy::Effect::LockedOut || decision.rule != nullptr);
  const bool reaches_tpm = passes || decision.effect == policy::Effect::WouldBlock;
  require(reaches_tpm == decision.response.empty());
  require(reaches_tpm || proto::read_tpm_header(decision.response).has_value());
  guard.responded(command, response);
  policy::OwnershipGuard owners(table, [] { return std::uint64_t{1'700'000'000}; });
  owners.refusal(command);
  owners.responded(command, response);
  require(owners.ownership().entries().size() <= 1);
  require(result_of(command, response).has_value() == proto::read_tpm_header(response).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  proto::ByteReader input({data, size});
  const Family family = input.u8() % 2 == 0 ? Family::Tpm20 : Family::Tpm12;
  const proto::Bytes response = input.take(std::min<std::size_t>(input.u8(), input.remaining()));
  const proto::Bytes bytes = input.rest();
  const auto command =
      test::client_command({.family = family, .bytes = proto::Buffer(bytes.begin(), bytes.end())});
  require((command != nullptr) == proto::read_tpm_header(bytes).has_value());
  if (command != nullptr) check(*command, response);
  return 0;
}

// What the schemas of commands say, beside what a TPM says of its commands.

#include "daemon/tpm/command_info.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/command_schema.h"
#include "proto/tpm/commands.h"
#include "tests/support/catch2.h"
#include "tests/support/test_chip.h"

using namespace tbs;

namespace {

std::vector<std::uint32_t> reported(test::TestChip& chip) {
  std::vector<std::uint32_t> all;
  std::uint32_t from = tpm::cc::kFirst;
  for (bool more = true; more;) {
    const auto response = chip.run(tpm::build::get_capability(tpm::cap::kCommands, from, 256));
    REQUIRE(response.size() > tpm::kHeaderSize);
    const auto list =
        tpm::parse_words(proto::Bytes(response).subspan(tpm::kHeaderSize), tpm::cap::kCommands);
    REQUIRE(list.has_value());
    REQUIRE_FALSE(list->items.empty());
    all.insert(all.end(), list->items.begin(), list->items.end());
    more = list->more;
    from = (all.back() & TPMA_CC_COMMANDINDEX_MASK) + 1;
  }
  return all;
}

}  // namespace

TEST_CASE("schemas have as many handles as a TPM says", "[rm][schema]") {
  test::TestChip chip;
  if (chip.run(tpm::build::startup(tpm::kStartupClear)).size() < tpm::kHeaderSize) {
    FAIL("the TPM does not start");
  }
  const auto attributes = reported(chip);
  CHECK(attributes.size() > 100);
  tpm::CommandTable table;
  table.load(attributes);
  for (const std::uint32_t word : attributes) {
    if ((word & TPMA_CC_V) != 0) continue;
    const tpm::CommandInfo* const info = table.find(word & TPMA_CC_COMMANDINDEX_MASK);
    REQUIRE(info != nullptr);
    CAPTURE(info->code);
    const tpm::CommandSchema* const schema = tpm::find_command_schema(info->code);
    REQUIRE(schema != nullptr);
    CHECK(schema->handle_count() == info->handles);
    CHECK(schema->response_handle.empty() != info->returns_handle);
  }
}

#include "daemon/tpm/command_info.h"

#include <array>

#include <catch2/catch.hpp>

#include "proto/tpm/constants.h"

using namespace tbs::tpm;

TEST_CASE("a command table says what the TPM says", "[tpm][command_info]") {
  // TPM2_Load: two handles, one back. A vendor command with one handle, which it flushes.
  constexpr std::array<std::uint32_t, 3> attributes = {0x2300FFFF, 0x14000157, 0x0200017D};
  CommandTable table;
  CHECK(table.empty());
  table.load(attributes);
  const CommandInfo* const load = table.find(cc::kLoad);
  REQUIRE(load != nullptr);
  CHECK(load->handles == 2);
  CHECK(load->returns_handle);
  CHECK_FALSE(load->flushes_handles);
  const CommandInfo* const vendor = table.find(0x2000FFFF);
  REQUIRE(vendor != nullptr);
  CHECK(vendor->handles == 1);
  CHECK(vendor->flushes_handles);
  CHECK_FALSE(vendor->returns_handle);
  CHECK(table.find(0xFFFF) == nullptr);
  CHECK(table.find(cc::kCreate) == nullptr);
}

TEST_CASE("the static table adds what a TPM leaves out", "[tpm][command_info]") {
  constexpr std::array<std::uint32_t, 4> attributes = {0x0200013E, 0x04000185, 0x02000126,
                                                       0x00000161};
  CommandTable table;
  table.load(attributes);
  CHECK(table.find(cc::kSequenceComplete)->flushes_handles);
  CHECK(table.find(cc::kEventSequenceComplete)->flushes_handles);
  CHECK(table.find(cc::kClear)->extensive);
  CHECK(table.find(cc::kContextLoad)->returns_handle);
}

TEST_CASE("working slots are learnt, within reason", "[tpm][command_info]") {
  constexpr std::array<std::uint32_t, 2> attributes = {0x02000153, 0x0200015D};
  CommandTable table;
  table.load(attributes);
  CHECK(table.find(cc::kCreate)->working_slots == 1);
  CHECK(table.find(0x15D)->working_slots == 0);
  for (int i = 0; i < 10; ++i) table.raise_working_slots(0x15D);
  CHECK(table.find(0x15D)->working_slots == 3);
  table.raise_working_slots(0x999);
  CHECK(table.find(0x999) == nullptr);
}

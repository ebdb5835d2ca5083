#include "daemon/tpm/command_info.h"

#include <array>

#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/support/command_attributes.h"

using namespace tbs::tpm;
using tbs::test::handles;

TEST_CASE("a command table says what the TPM says", "[tpm][command_info]") {
  constexpr std::uint32_t kVendor = cc::kVendorBit | 0xFFFF;
  constexpr std::array<std::uint32_t, 3> attributes = {kVendor | handles(1) | TPMA_CC_FLUSHED,
                                                       cc::kLoad | handles(2) | TPMA_CC_RHANDLE,
                                                       cc::kHash | handles(1)};
  CommandTable table;
  CHECK(table.empty());
  table.load(attributes);
  const CommandInfo* const load = table.find(cc::kLoad);
  REQUIRE(load != nullptr);
  CHECK(load->handles == 2);
  CHECK(load->returns_handle);
  CHECK_FALSE(load->flushes_handles);
  const CommandInfo* const vendor = table.find(kVendor);
  REQUIRE(vendor != nullptr);
  CHECK(vendor->handles == 1);
  CHECK(vendor->flushes_handles);
  CHECK_FALSE(vendor->returns_handle);
  CHECK(table.find(0xFFFF) == nullptr);
  CHECK(table.find(cc::kCreate) == nullptr);
}

TEST_CASE("the static table adds what a TPM leaves out", "[tpm][command_info]") {
  constexpr std::array<std::uint32_t, 4> attributes = {cc::kSequenceComplete | handles(1),
                                                       cc::kEventSequenceComplete | handles(2),
                                                       cc::kClear | handles(1), cc::kContextLoad};
  CommandTable table;
  table.load(attributes);
  CHECK(table.find(cc::kSequenceComplete)->flushes_handles);
  CHECK(table.find(cc::kEventSequenceComplete)->flushes_handles);
  CHECK(table.find(cc::kClear)->extensive);
  CHECK(table.find(cc::kContextLoad)->returns_handle);
}

TEST_CASE("working slots are learnt, within reason", "[tpm][command_info]") {
  constexpr std::array<std::uint32_t, 2> attributes = {cc::kCreate | handles(1),
                                                       cc::kSign | handles(1)};
  CommandTable table;
  table.load(attributes);
  CHECK(table.find(cc::kCreate)->working_slots == 1);
  CHECK(table.find(cc::kSign)->working_slots == 0);
  for (int i = 0; i < 10; ++i) table.raise_working_slots(cc::kSign);
  CHECK(table.find(cc::kSign)->working_slots == 3);
  table.raise_working_slots(0x999);
  CHECK(table.find(0x999) == nullptr);
}

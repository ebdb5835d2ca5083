#include "proto/tpm12/ordinal_names.h"

#include "proto/tpm12/ordinal_table.h"
#include "proto/tpm12/ordinals.h"
#include "tests/support/catch2.h"

using namespace tbs::tpm12;

TEST_CASE("every ordinal of the table has a name of its own", "[tpm12][names]") {
  std::size_t ordinals = 0;
  for (const std::uint32_t first : {std::uint32_t{0}, ord::kTscPhysicalPresence & 0xFFFFFF00U}) {
    for (std::uint32_t ordinal = first; ordinal < first + 0x100; ++ordinal) {
      CAPTURE(ordinal);
      const std::string_view name = ordinal_name(ordinal);
      CHECK(name.empty() == (find_ordinal(ordinal) == nullptr));
      if (name.empty()) continue;
      ++ordinals;
      CHECK(ordinal_of(name) == ordinal);
    }
  }
  CHECK(ordinals > 100);
}

TEST_CASE("ordinals are found by name, with or without the prefix", "[tpm12][names]") {
  CHECK(ordinal_name(ord::kGetRandom) == "TPM_GetRandom");
  CHECK(ordinal_of("TPM_GetRandom") == ord::kGetRandom);
  CHECK(ordinal_of("getrandom") == ord::kGetRandom);
  CHECK(ordinal_of("TSC_PhysicalPresence") == ord::kTscPhysicalPresence);
  CHECK_FALSE(ordinal_of("TPM2_GetRandom").has_value());
  CHECK_FALSE(ordinal_of("").has_value());
}

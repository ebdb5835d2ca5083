#include "proto/command_names.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string>

#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"

using namespace tbs;
using proto::command_code;
using proto::command_name;

TEST_CASE("every command code has a name, and the name has the code", "[proto][command_names]") {
  std::set<std::string> names;
  for (std::uint32_t code = tpm::cc::kFirst; code <= tpm::cc::kPolicyTransportSpdm; ++code) {
    const std::string name(command_name(code));
    if (name.empty()) continue;
    CHECK(command_code(name) == code);
    CHECK(names.insert(name).second);
  }
  // All that Part 2 assigns up to there, besides the codes that were given back.
  CHECK(names.size() == 126);
}

TEST_CASE("names of commands are those of the specification", "[proto][command_names]") {
  CHECK(command_name(TPM2_CC_GetRandom) == "GetRandom");
  CHECK(command_name(TPM2_CC_NV_UndefineSpaceSpecial) == "NV_UndefineSpaceSpecial");
  CHECK(command_name(TPM2_CC_Policy_AC_SendSelect) == "Policy_AC_SendSelect");
  CHECK(command_name(tpm::cc::kEccEncrypt) == "ECC_Encrypt");
  CHECK(command_code("Startup") == 0x144U);
  CHECK(command_code("PolicyTransportSPDM") == 0x1A1U);
}

TEST_CASE("names are found in any letters", "[proto][command_names]") {
  CHECK(command_code("getrandom") == TPM2_CC_GetRandom);
  CHECK(command_code("NV_READ") == TPM2_CC_NV_Read);
  CHECK_FALSE(command_code("TPM2_GetRandom"));
  CHECK_FALSE(command_code("GetRandom "));
  CHECK_FALSE(command_code(""));
}

TEST_CASE("what is no TPM 2.0 command has no name", "[proto][command_names]") {
  CHECK(command_name(0).empty());
  CHECK(command_name(tpm::cc::kFirst - 1).empty());
  CHECK(command_name(0x123).empty());  // given back
  CHECK(command_name(tpm::cc::kVendorBit | TPM2_CC_GetRandom).empty());
}

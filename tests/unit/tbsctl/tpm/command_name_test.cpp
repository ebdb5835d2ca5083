#include "client/tbsctl/tpm/command_name.h"

#include "tests/support/catch2.h"

using namespace tbs::ctl;

TEST_CASE("commands are named as people name them", "[tbsctl][command_name]") {
  for (const char* const name : {"Clear", "clear", "TPM2_Clear", "tpm2_clear", "TPM2_CC_Clear",
                                 "TPM_CC_Clear", "0x126", "294"}) {
    CAPTURE(name);
    CHECK(parse_command_code(name) == 0x126);
  }
  for (const char* const wrong :
       {"", "TPM2_", "TPM2_CC_", "TPM2_TPM2_Clear", "TPM_Clear", "0x", "-1"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_command_code(wrong));
  }
  CHECK(command_name(0x126) == "Clear");
  CHECK(command_name(0x20000001) == "0x20000001");
}

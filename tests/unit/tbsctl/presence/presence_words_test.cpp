#include "client/tbsctl/presence/presence_words.h"

#include "tests/support/catch2.h"

using namespace tbs::ctl;

TEST_CASE("operations by name and number", "[tbsctl][ppi]") {
  CHECK(operation_text(5, false) == "clear (5)");
  CHECK(operation_text(3, true) == "activate (3)");
  CHECK(operation_text(3, false) == "3");
  CHECK(operation_text(200, false) == "200");
  CHECK(parse_operation("clear") == 5);
  CHECK(parse_operation("none") == 0);
  CHECK(parse_operation("0x17") == 23);
  CHECK_FALSE(parse_operation("soon"));
  CHECK_FALSE(parse_operation("-1"));
}

TEST_CASE("answers in words", "[tbsctl][ppi]") {
  CHECK(transition_text(2) == "restart");
  CHECK(transition_text(4) == "unknown");
  CHECK(response_text(0) == "success");
  CHECK(response_text(0xFFFFFFF0).starts_with("the user said no"));
  CHECK(response_text(0xFFFFFFF1) == "the firmware failed");
  CHECK(response_text(0x38) == "the TPM answered 0x00000038");
  CHECK(response_text(0x1000) == "0x00001000");
  CHECK(confirmation_text(3) == "allowed when a user confirms");
  CHECK(confirmation_text(5) == "unknown");
}

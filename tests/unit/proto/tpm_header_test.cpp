#include "proto/tpm_header.h"

#include "tests/support/catch2.h"

using namespace tbs::proto;

TEST_CASE("a header is read when its size is that of the message", "[proto][tpm_header]") {
  const Buffer message = {0x80, 0x02, 0, 0, 0, 12, 0x01, 0x02, 0x03, 0x04, 0, 0};
  const auto header = read_tpm_header(message);
  REQUIRE(header);
  CHECK(header->tag == 0x8002);
  CHECK(header->size == 12);
  CHECK(header->code == 0x01020304);
  CHECK_FALSE(read_tpm_header(Bytes(message).first(11)));
  CHECK_FALSE(read_tpm_header(Bytes(message).first(9)));
  CHECK_FALSE(read_tpm_header({}));
}

TEST_CASE("a response is its header and its parameters", "[proto][tpm_header]") {
  CHECK(tpm_response(0x8001, 0, Buffer{7, 8}) == Buffer{0x80, 0x01, 0, 0, 0, 12, 0, 0, 0, 0, 7, 8});
  CHECK(tpm_error_response(0x00C4, 0x26) == Buffer{0, 0xC4, 0, 0, 0, 10, 0, 0, 0, 0x26});
}

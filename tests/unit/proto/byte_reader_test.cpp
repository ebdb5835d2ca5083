#include "proto/byte_reader.h"

#include "proto/byte_writer.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"
#include "tests/support/catch2.h"

using namespace tbs::proto;

TEST_CASE("both byte orders are read as they were written", "[proto][bytes]") {
  Buffer out;
  ByteWriter writer(out);
  writer.le16(0x0102);
  writer.be16(0x0102);
  writer.le32(0x01020304);
  writer.be32(0x01020304);
  writer.le64(0x0102030405060708ULL);
  writer.be64(0x0102030405060708ULL);
  REQUIRE(out[0] == 2);
  REQUIRE(out[2] == 1);
  ByteReader reader(out);
  REQUIRE(reader.le16() == 0x0102);
  REQUIRE(reader.be16() == 0x0102);
  REQUIRE(reader.le32() == 0x01020304);
  REQUIRE(reader.be32() == 0x01020304);
  REQUIRE(reader.le64() == 0x0102030405060708ULL);
  REQUIRE(reader.be64() == 0x0102030405060708ULL);
  REQUIRE(reader.at_end());
}

TEST_CASE("a read past the end gives nothing and fails for good", "[proto][bytes]") {
  const Buffer three = {1, 2, 3};
  ByteReader reader(three);
  REQUIRE(reader.be32() == 0);
  REQUIRE_FALSE(reader.ok());
  REQUIRE(reader.remaining() == 0);
  REQUIRE(reader.u8() == 0);
  REQUIRE(reader.take(1).empty());
  REQUIRE_FALSE(reader.at_end());
}

TEST_CASE("a TPM header must tell the size of its message", "[proto][tpm]") {
  Buffer response = tpm_error_response(tbs::tpm::kTagNoSessions, tbs::tpm::rc::kFailure);
  const auto header = read_tpm_header(response);
  REQUIRE(header.has_value());
  REQUIRE(header->tag == tbs::tpm::kTagNoSessions);
  REQUIRE(header->size == 10);
  REQUIRE(header->code == tbs::tpm::rc::kFailure);
  response.push_back(0);
  REQUIRE_FALSE(read_tpm_header(response).has_value());
  response.resize(9);
  REQUIRE_FALSE(read_tpm_header(response).has_value());
  REQUIRE_FALSE(read_tpm_header({}).has_value());
}

#include "client/device_id.h"

#include <catch2/catch.hpp>

#include "proto/tpm_header.h"

using namespace tbs;
using client::create_id_key;
using client::IdKey;
using client::read_id_answer;
using proto::Buffer;

namespace {

// A response to CreatePrimary as the TPM sends it, with this Name.
Buffer created(const Buffer& name) {
  Buffer out;
  proto::ByteWriter writer(out);
  writer.be16(proto::kTagSessions);
  writer.be32(0);
  writer.be32(0);
  writer.be32(0x80000003);
  writer.be32(0);  // size of the parameters, which nobody needs
  writer.be16(3);
  writer.bytes(Buffer(3, 0x11));
  writer.be16(5);
  writer.bytes(Buffer(5, 0x22));
  writer.be16(2);
  writer.bytes(Buffer(2, 0x33));
  writer.be16(0x8021);
  writer.be32(0x4000000B);
  writer.be16(1);
  writer.u8(0x44);
  writer.be16(static_cast<std::uint16_t>(name.size()));
  writer.bytes(name);
  writer.be16(0);
  writer.u8(1);
  writer.be16(0);
  out[5] = static_cast<std::uint8_t>(out.size());
  return out;
}

Buffer name_of(std::uint16_t algorithm, std::size_t size) {
  Buffer name;
  proto::ByteWriter writer(name);
  writer.be16(algorithm);
  for (std::size_t i = 0; i < size; ++i) writer.u8(static_cast<std::uint8_t>(i));
  return name;
}

}  // namespace

TEST_CASE("the commands for the key are whole", "[client][id]") {
  for (const IdKey key : {IdKey::P256, IdKey::Rsa2048}) {
    const auto command = create_id_key(key);
    const auto header = proto::read_tpm_header(command);
    REQUIRE(header);
    CHECK(header->code == 0x131);
  }
}

TEST_CASE("the identifier is the digest of the Name", "[client][id]") {
  const auto answer = read_id_answer(created(name_of(0x000B, 32)));
  REQUIRE(answer);
  CHECK(answer->response_code == 0);
  CHECK(answer->handle == 0x80000003);
  REQUIRE(answer->id.size() == client::kDeviceIdSize);
  CHECK(answer->id[0] == 0);
  CHECK(answer->id[31] == 31);
}

TEST_CASE("what is no such answer is refused", "[client][id]") {
  CHECK_FALSE(read_id_answer(created(name_of(0x0004, 20))));
  CHECK_FALSE(read_id_answer(created(name_of(0x000C, 32))));
  const auto whole = created(name_of(0x000B, 32));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Buffer cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    if (size >= 10) cut[5] = static_cast<std::uint8_t>(size);
    const auto answer = read_id_answer(cut);
    // What follows the Name does not matter.
    if (size < whole.size() - 5) CHECK_FALSE(answer);
  }
}

TEST_CASE("a TPM's refusal, and which of them asks for the other kind of key", "[client][id]") {
  const auto answer = read_id_answer(proto::tpm_error_response(proto::kTagNoSessions, 0x9A2));
  REQUIRE(answer);
  CHECK(answer->response_code == 0x9A2);
  for (const std::uint32_t code : {0x2E6U, 0x2C1U, 0x2CAU, 0x2C4U}) {
    CHECK(client::is_unknown_key_kind(code));
  }
  for (const std::uint32_t code : {0x9A2U, 0x902U, 0x922U, 0x80280400U}) {
    CHECK_FALSE(client::is_unknown_key_kind(code));
  }
}

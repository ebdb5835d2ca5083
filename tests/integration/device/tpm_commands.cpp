#include "tests/integration/device/tpm_commands.h"

namespace tbs::test {
namespace {

constexpr std::uint16_t kNoSessions = 0x8001;
constexpr std::uint16_t kSessions = 0x8002;
constexpr std::uint32_t kOwner = 0x40000001;
constexpr std::uint32_t kPassword = 0x40000009;
constexpr std::uint16_t kSha256 = 0x000B;

proto::Buffer command(std::uint16_t tag, std::uint32_t code, const proto::Buffer& body) {
  proto::Buffer bytes;
  proto::ByteWriter writer(bytes);
  writer.be16(tag);
  writer.be32(static_cast<std::uint32_t>(10 + body.size()));
  writer.be32(code);
  writer.bytes(body);
  return bytes;
}

void empty_password(proto::ByteWriter& writer) {
  writer.be32(9);
  writer.be32(kPassword);
  writer.be16(0);  // nonce
  writer.u8(0);    // attributes
  writer.be16(0);  // password
}

// The symmetric algorithm of a storage key: AES-128-CFB.
void storage_symmetric(proto::ByteWriter& writer) {
  writer.be16(0x0006);
  writer.be16(128);
  writer.be16(0x0043);
}

proto::Buffer public_area(std::uint16_t rsa_bits, std::uint32_t unique) {
  proto::Buffer area;
  proto::ByteWriter writer(area);
  writer.be16(rsa_bits != 0 ? 0x0001 : 0x0023);
  writer.be16(kSha256);
  writer.be32(0x00030072);  // fixed, restricted decryption key
  writer.be16(0);           // policy
  storage_symmetric(writer);
  writer.be16(0x0010);  // no scheme
  if (rsa_bits != 0) {
    writer.be16(rsa_bits);
    writer.be32(0);  // default exponent
  } else {
    writer.be16(0x0003);  // P-256
    writer.be16(0x0010);  // no key derivation
  }
  writer.be16(4);
  writer.be32(unique);
  if (rsa_bits == 0) writer.be16(0);
  return area;
}

}  // namespace

proto::Buffer startup() {
  return command(kNoSessions, 0x144, {0, 0});
}

proto::Buffer get_random(std::uint16_t count) {
  proto::Buffer body;
  proto::ByteWriter(body).be16(count);
  return command(kNoSessions, 0x17B, body);
}

proto::Buffer create_primary(std::uint16_t rsa_bits, std::uint32_t unique) {
  proto::Buffer body;
  proto::ByteWriter writer(body);
  writer.be32(kOwner);
  empty_password(writer);
  writer.be16(4);
  writer.be32(0);  // no password, no data
  const proto::Buffer area = public_area(rsa_bits, unique);
  writer.be16(static_cast<std::uint16_t>(area.size()));
  writer.bytes(area);
  writer.be16(0);  // outside info
  writer.be32(0);  // no PCRs
  return command(kSessions, 0x131, body);
}

proto::Buffer flush_context(std::uint32_t handle) {
  proto::Buffer body;
  proto::ByteWriter(body).be32(handle);
  return command(kNoSessions, 0x165, body);
}

proto::Buffer evict_control(std::uint32_t object, std::uint32_t persistent) {
  proto::Buffer body;
  proto::ByteWriter writer(body);
  writer.be32(kOwner);
  writer.be32(object);
  empty_password(writer);
  writer.be32(persistent);
  return command(kSessions, 0x120, body);
}

proto::Buffer read_public(std::uint32_t handle) {
  proto::Buffer body;
  proto::ByteWriter(body).be32(handle);
  return command(kNoSessions, 0x173, body);
}

proto::Buffer extend_pcr(std::uint32_t index) {
  proto::Buffer body;
  proto::ByteWriter writer(body);
  writer.be32(index);
  empty_password(writer);
  writer.be32(1);
  writer.be16(kSha256);
  writer.bytes(proto::Buffer(32, 0));
  return command(kSessions, 0x182, body);
}

proto::Buffer reset_pcr(std::uint32_t index) {
  proto::Buffer body;
  proto::ByteWriter writer(body);
  writer.be32(index);
  empty_password(writer);
  return command(kSessions, 0x13D, body);
}

std::uint32_t response_code(proto::Bytes response) {
  proto::ByteReader reader(response);
  reader.skip(6);
  const std::uint32_t code = reader.be32();
  return reader.ok() ? code : ~0U;
}

std::uint32_t response_handle(proto::Bytes response) {
  proto::ByteReader reader(response);
  reader.skip(10);
  return reader.be32();
}

}  // namespace tbs::test

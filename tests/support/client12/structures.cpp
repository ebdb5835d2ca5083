#include "tests/support/client12/structures.h"

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/tpm12/command_builder.h"

namespace tbs::test::client12 {
namespace {

using proto::ByteReader;
using proto::ByteWriter;

void skip_parameters(ByteReader& reader) {
  reader.skip(4 + 2 + 2);
  reader.skip(reader.be32());
}

Bytes rest_of_key(ByteReader& reader) {
  const View modulus = reader.take(reader.be32());
  return {modulus.begin(), modulus.end()};
}

}  // namespace

Bytes key_parameters(std::uint32_t bits, KeyUse use) {
  const bool signing = use == KeyUse::Signing;
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.be32(1);                // TPM_ALG_RSA
  writer.be16(signing ? 1 : 3);  // no encryption, OAEP
  writer.be16(signing ? 2 : 1);  // PKCS #1 with SHA-1, no signatures
  writer.be32(12);
  writer.be32(bits);
  writer.be32(2);  // primes
  writer.be32(0);  // the usual exponent
  return bytes;
}

Bytes new_key(std::uint32_t bits, KeyUse use, bool authorized) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.be16(0x0028);  // TPM_TAG_KEY12
  writer.be16(0);
  writer.be16(static_cast<std::uint16_t>(use));
  writer.be32(0);  // flags
  writer.u8(authorized ? 1 : 0);
  writer.bytes(key_parameters(bits, use));
  for (int i = 0; i < 3; ++i) writer.be32(0);  // PCRs, public key, private key
  return bytes;
}

Bytes modulus_of_public_key(View key) {
  ByteReader reader(key);
  skip_parameters(reader);
  return rest_of_key(reader);
}

Bytes modulus_of(View key) {
  ByteReader reader(key);
  reader.skip(4 + 2 + 4 + 1);
  skip_parameters(reader);
  reader.skip(reader.be32());
  return rest_of_key(reader);
}

Bytes frame(std::uint32_t ordinal, std::size_t sessions, std::initializer_list<View> parts) {
  const std::size_t plain = parts.size() - sessions;
  tpm12::CommandBuilder command(ordinal);
  for (std::size_t i = 0; const View part : parts) {
    if (i++ < plain) {
      command.bytes(part);
    } else {
      command.authorization(part);
    }
  }
  return command.finish();
}

Bytes words(std::initializer_list<std::uint32_t> values) {
  Bytes bytes;
  ByteWriter writer(bytes);
  for (const std::uint32_t value : values) writer.be32(value);
  return bytes;
}

Bytes sized_bytes(View bytes) {
  Bytes out;
  ByteWriter writer(out);
  writer.be32(static_cast<std::uint32_t>(bytes.size()));
  writer.bytes(bytes);
  return out;
}

}  // namespace tbs::test::client12

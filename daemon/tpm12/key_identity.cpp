#include "daemon/tpm12/key_identity.h"

#include <algorithm>

namespace tbs::tpm12 {

// FNV-1a, 64 bits. Whoever makes two of his keys collide has their sessions saved once too often.
std::uint64_t fingerprint(proto::Bytes bytes) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001B3;
  return hash;
}

KeyIdentity identity_of_key(proto::Bytes key) {
  proto::ByteReader reader(key);
  reader.skip(4);              // version, or tag and fill
  reader.skip(2 + 4 + 1);      // keyUsage, keyFlags, authDataUsage
  reader.skip(4 + 2 + 2);      // algorithmID, encScheme, sigScheme
  reader.skip(reader.be32());  // parms
  reader.skip(reader.be32());  // PCRInfo
  const proto::Bytes public_key = reader.take(reader.be32());
  if (!reader.ok() || public_key.empty()) return kUnknownKey;
  return std::max<KeyIdentity>(fingerprint(public_key), 1);
}

}  // namespace tbs::tpm12

#include "proto/opener.h"

#include <limits>

namespace tbs::proto {
namespace {

constexpr std::uint32_t kMagic = 0x4E534254;  // TBSN
constexpr std::uint32_t kVersion = 1;
// What the kernel has for "nobody can be named" (chown(2)).
constexpr std::uint32_t kNoId = std::numeric_limits<std::uint32_t>::max();
// More than the kernel gives to any process (PID_MAX_LIMIT).
constexpr std::uint32_t kMostPid = 4U * 1024 * 1024;

}  // namespace

Buffer opener_bytes(const Opener& opener) {
  Buffer bytes;
  ByteWriter writer(bytes);
  for (const std::uint32_t field : {kMagic, kVersion, opener.uid, opener.gid, opener.pid}) {
    writer.le32(field);
  }
  return bytes;
}

std::optional<Opener> read_opener(Bytes bytes) {
  ByteReader reader(bytes);
  const bool known = reader.le32() == kMagic && reader.le32() == kVersion;
  const Opener opener{.uid = reader.le32(), .gid = reader.le32(), .pid = reader.le32()};
  if (!known || !reader.at_end() || opener.uid == kNoId || opener.gid == kNoId ||
      opener.pid > kMostPid) {
    return std::nullopt;
  }
  return opener;
}

}  // namespace tbs::proto

#include "daemon/base/record.h"

namespace tbs {

std::uint16_t RecordReader::part(const RecordPart& part) {
  std::string name;
  std::uint16_t version = 0;
  get(name);
  get(version);
  if (!ok()) return 0;
  if (name != part.name) {
    fail("there is no part \"" + std::string(part.name) + "\"");
    return 0;
  }
  if (version >= 1 && version <= part.version) return version;
  fail("the part \"" + name + "\" has the format " + std::to_string(version) +
       "; this program knows " + std::to_string(part.version));
  return 0;
}

}  // namespace tbs

#include "daemon/base/record.h"

namespace tbs {

void RecordReader::part(const RecordPart& part) {
  std::string name;
  std::uint16_t version = 0;
  get(name);
  get(version);
  if (!ok()) return;
  if (name != part.name) return fail("there is no part \"" + std::string(part.name) + "\"");
  if (version == part.version) return;
  fail("the part \"" + name + "\" has the format " + std::to_string(version) +
       "; this program knows " + std::to_string(part.version));
}

}  // namespace tbs

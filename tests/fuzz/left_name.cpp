// Names under which the service manager keeps descriptors: what is taken for one is written in no
// other way.

#include "daemon/host/left_name.h"

#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto name = tbs::host::parse_left_name(text);
  if (name && tbs::host::to_string(*name) != text) std::abort();
  return 0;
}

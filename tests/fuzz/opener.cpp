// For whom a connection is, as a service says it, and what the kernel says of that process. What is
// taken is the same when it is written again.

#include "proto/opener.h"

#include <cstdlib>
#include <string_view>

#include "daemon/server/process_status.h"

using namespace tbs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const proto::Bytes bytes(data, size);
  if (const auto opener = proto::read_opener(bytes)) {
    if (size != proto::kOpenerSize || proto::read_opener(proto::opener_bytes(*opener)) != *opener) {
      std::abort();
    }
  }
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto status = server::process_status(text)) {
    if (status->process <= 0 || status->groups.size() > size) std::abort();
  }
  return 0;
}

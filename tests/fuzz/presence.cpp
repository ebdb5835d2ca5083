// A call of the physical presence interface by a client, and the texts that the kernel answers
// with. What is understood is well formed.

#include <cstdlib>
#include <string_view>

#include "daemon/firmware/presence_request.h"
#include "daemon/firmware/presence_text.h"
#include "proto/limits.h"

using namespace tbs;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check(const std::optional<proto::Buffer>& output) {
  if (!output) return;
  require(!output->empty() && output->size() % 4 == 0);
  require(output->size() <= proto::kMaxPresenceOutput);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto request = firmware::parse_presence(proto::Bytes(data, size));
  if (request) require(size >= 4 && size <= proto::kMaxPresenceInput);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto version = firmware::presence_version(text);
  require(version.empty() || (version.back() == 0 && version.size() <= proto::kMaxPresenceOutput));
  check(firmware::presence_pending(text));
  check(firmware::presence_transition(text));
  check(firmware::presence_response(text));
  (void)firmware::presence_confirmation(text, size > 0 ? data[0] : 0);
  return 0;
}

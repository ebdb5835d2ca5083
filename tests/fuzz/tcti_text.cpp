// What the TCTI module reads from people: its configuration string and TSS2_LOG. A configuration
// that is taken names a socket that can be one; a refusal gives a reason.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "client/socket_path.h"
#include "client/tcti/tabrmd/tabrmd_config.h"
#include "client/tcti/tcti_config.h"
#include "client/tcti/tcti_log.h"

using namespace tbs;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  for (const auto parse : {tcti::parse_config, tcti::parse_tabrmd_config}) {
    const auto config = parse(text);
    if (config) {
      require(config->socket.empty() || client::is_socket_path(config->socket));
    } else {
      require(!config.error().empty());
    }
  }
  require(tcti::log_level_of(text) <= tcti::LogLevel::Debug);
  return 0;
}

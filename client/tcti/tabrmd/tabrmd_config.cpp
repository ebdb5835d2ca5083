#include "client/tcti/tabrmd/tabrmd_config.h"

#include <algorithm>

namespace tbs::tcti {

std::expected<Config, std::string> parse_tabrmd_config(std::string_view text) {
  std::string others;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    if (part.starts_with("bus_name=") || part.starts_with("bus_type=")) continue;
    if (!others.empty()) others += ',';
    others += part;
  }
  return parse_config(others);
}

}  // namespace tbs::tcti

#include "daemon/host/inherited_descriptors.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include "proto/terminal_text.h"

namespace tbs::host {
namespace {

bool listens(int descriptor) {
  int listening = 0;
  socklen_t size = sizeof(listening);
  return ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 &&
         listening != 0;
}

}  // namespace

InheritedDescriptors inherited_descriptors() {
  char** names = nullptr;
  const int count = std::max(sd_listen_fds_with_names(1, &names), 0);
  std::vector<NamedDescriptor> all;
  all.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    all.push_back({.name = names[i], .descriptor = SD_LISTEN_FDS_START + i});
    std::free(names[i]);
  }
  std::free(static_cast<void*>(names));
  return sort_descriptors(all);
}

InheritedDescriptors sort_descriptors(const std::vector<NamedDescriptor>& all) {
  InheritedDescriptors sorted;
  std::unordered_set<std::string_view> names;
  for (const NamedDescriptor& one : all) {
    if (listens(one.descriptor)) {
      sorted.sockets.push_back({.descriptor = one.descriptor, .name = one.name});
      continue;
    }
    auto name = parse_left_name(one.name);
    const bool twice = name && !names.insert(one.name).second;
    if (name && !twice) {
      sorted.left.push_back({.name = std::move(*name), .descriptor = one.descriptor});
      continue;
    }
    spdlog::warn("a descriptor named '{}' was handed over, {}; it is closed",
                 proto::terminal_text(one.name),
                 twice ? "the second one of that name"
                       : "which is no listening socket and no name of tbsd's");
    ::close(one.descriptor);
    // The first one of the name is used.
    if (!twice) sorted.refused.push_back(one.name);
  }
  return sorted;
}

std::vector<InheritedSocket> inherited_sockets() {
  InheritedDescriptors all = inherited_descriptors();
  for (const LeftDescriptor& left : all.left) ::close(left.descriptor);
  return std::move(all.sockets);
}

}  // namespace tbs::host

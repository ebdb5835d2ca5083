#include "client/socket_path.h"

#include <cstdlib>

#include <sys/un.h>

#include "client/fork_guard.h"

namespace tbs::client {
namespace {

// Under the library's lock. Never freed: other threads may still connect while the process exits.
constinit std::string* chosen = nullptr;

}  // namespace

bool is_socket_path(std::string_view path) {
  return !path.empty() && path.size() < sizeof(sockaddr_un::sun_path) &&
         path.find('\0') == std::string_view::npos;
}

void choose_process_socket(std::string_view path) {
  const LibraryLock lock;
  if (chosen == nullptr) chosen = new std::string;
  *chosen = path;
}

std::string socket_path(std::string_view named) {
  if (!named.empty()) return std::string(named);
  {
    const LibraryLock lock;
    if (chosen != nullptr && !chosen->empty()) return *chosen;
  }
  const char* const environment = ::secure_getenv("TBS_SOCKET");
  if (environment != nullptr && *environment != '\0') return environment;
  return std::string(kDefaultSocket);
}

}  // namespace tbs::client

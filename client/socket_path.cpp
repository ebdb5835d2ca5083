#include "client/socket_path.h"

#include <cstdlib>

#include <fcntl.h>
#include <sys/un.h>
#include <unistd.h>

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

std::string socket_with_most_rights(std::string_view admin, std::string_view everybodys) {
  // With the rights that connect() will have, which are not those of the real user.
  const bool open_to_us = ::faccessat(AT_FDCWD, std::string(admin).c_str(), W_OK, AT_EACCESS) == 0;
  return std::string(open_to_us ? admin : everybodys);
}

void choose_process_socket(std::string_view path) {
  const LibraryLock lock;
  if (chosen == nullptr) chosen = new std::string;
  *chosen = path;
}

std::string chosen_socket(std::string_view named) {
  if (!named.empty()) return std::string(named);
  {
    const LibraryLock lock;
    if (chosen != nullptr && !chosen->empty()) return *chosen;
  }
  const char* const environment = ::secure_getenv("TBS_SOCKET");
  return environment == nullptr ? "" : environment;
}

std::string socket_path(std::string_view named) {
  std::string path = chosen_socket(named);
  return path.empty() ? socket_with_most_rights() : path;
}

}  // namespace tbs::client

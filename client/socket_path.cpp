#include "client/socket_path.h"

#include <cstdlib>
#include <mutex>

#include <sys/un.h>

namespace tbs::client {
namespace {

struct Choice {
  std::mutex mutex;
  std::string path;
};

// Never destroyed: other threads may still connect while the process exits.
Choice& choice() {
  static Choice& made = *new Choice;
  return made;
}

}  // namespace

bool is_socket_path(std::string_view path) {
  return !path.empty() && path.size() < sizeof(sockaddr_un::sun_path) &&
         path.find('\0') == std::string_view::npos;
}

void choose_process_socket(std::string_view path) {
  const std::lock_guard lock(choice().mutex);
  choice().path = path;
}

std::string socket_path(std::string_view named) {
  if (!named.empty()) return std::string(named);
  {
    const std::lock_guard lock(choice().mutex);
    if (!choice().path.empty()) return choice().path;
  }
  const char* const environment = ::secure_getenv("TBS_SOCKET");
  if (environment != nullptr && *environment != '\0') return environment;
  return std::string(kDefaultSocket);
}

}  // namespace tbs::client

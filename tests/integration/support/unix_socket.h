#pragma once

// Unix stream sockets by path.

#include <string>

namespace tbs::test {

// A connected socket, or -1 when nobody listens. Throws when it cannot even be tried.
int try_connect(const std::string& path);
// The same, and throws when nobody listens.
int connect_to(const std::string& path);
// A socket that listens there.
int listen_on(const std::string& path);

}  // namespace tbs::test

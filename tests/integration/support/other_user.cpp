#include "tests/integration/support/other_user.h"

#include <cstdio>
#include <exception>

#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/catch2.h"

namespace tbs::test {
namespace {

[[noreturn]] void run(const std::function<int()>& part) {
  int outcome = 255;
  try {
    if (::setgroups(0, nullptr) == 0 && ::setgid(kNobody) == 0 && ::setuid(kNobody) == 0) {
      outcome = part();
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "as nobody: %s\n", error.what());
  }
  // Not exit(): what the parent has buffered and registered is the parent's.
  ::_exit(outcome);
}

}  // namespace

bool can_become_nobody() {
  if (::getuid() == 0) return true;
  WARN("skipped: only root can take another user's place");
  return false;
}

int as_nobody(const std::function<int()>& part) {
  const pid_t child = ::fork();
  if (child == 0) run(part);
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  const int code = WEXITSTATUS(status);
  return code == 255 ? -1 : code;
}

ConnectingAs::ConnectingAs(uid_t user) {
  REQUIRE(::seteuid(user) == 0);
}

ConnectingAs::~ConnectingAs() {
  if (::seteuid(0) != 0) std::terminate();
}

}  // namespace tbs::test

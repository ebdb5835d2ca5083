#include "tests/integration/support/container.h"

#include <array>
#include <cstdio>
#include <exception>
#include <sched.h>

#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/support/temp_folder.h"

namespace tbs::test {
namespace {

constexpr int kFailed = 255;
constexpr const char* kInside = "/tbs.sock";

bool drop_capabilities() {
  for (unsigned long capability = 0; ::prctl(PR_CAPBSET_READ, capability) >= 0; ++capability) {
    if (::prctl(PR_CAPBSET_DROP, capability) != 0) return false;
  }
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> none{};
  return ::syscall(SYS_capset, &header, none.data()) == 0 &&
         ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

// Nothing of this reaches the test's own mounts.
bool enter(const std::string& root, const std::string& socket) {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  if (::mount("none", root.c_str(), "tmpfs", 0, nullptr) != 0) return false;
  write_file(root + kInside, "");
  return ::mount(socket.c_str(), (root + kInside).c_str(), nullptr, MS_BIND, nullptr) == 0 &&
         ::chroot(root.c_str()) == 0 && ::chdir("/") == 0;
}

int wait_for(pid_t child) {
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return kFailed;
  return WEXITSTATUS(status);
}

int run(const std::function<int()>& part) {
  try {
    return part();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "in a container: %s\n", error.what());
    return kFailed;
  }
}

}  // namespace

int in_container(const std::string& socket, Capabilities capabilities,
                 const std::function<int(const std::string&)>& part) {
  const TempFolder root;
  const auto inside = [&] {
    if (!enter(root.path(), socket)) return kFailed;
    if (capabilities == Capabilities::None && !drop_capabilities()) return kFailed;
    return part(kInside);
  };
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr int kOwn = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
    if (::unshare(kOwn) != 0) ::_exit(kFailed);
    // The first process of the new process namespace.
    const pid_t first = ::fork();
    ::_exit(first == 0 ? run(inside) : wait_for(first));
  }
  const int outcome = wait_for(child);
  return outcome == kFailed ? -1 : outcome;
}

}  // namespace tbs::test

#include "daemon/host/execute_again.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

namespace tbs::host {
namespace {

constexpr std::array kRequests = {SIGHUP, SIGUSR2};

std::string reason(const std::string& what) {
  return what + ": " + std::strerror(errno);
}

// Without a copy there, the successor has no listening socket, or another client's for one.
bool copy_to(int from, int to, int flags) {
  int result = -1;
  do {
    result = ::dup3(from, to, flags);
    // EBUSY: another thread is about to open something, which may get that number.
  } while (result < 0 && (errno == EINTR || errno == EBUSY));
  return result >= 0;
}

// Descriptors at the numbers where a program looks for them. What was there before is put back when
// the program could not be executed: what waits for it (epoll(7)) goes on waiting, since the open
// file was never closed.
class Placement {
 public:
  Placement() = default;
  ~Placement() { take_back(); }
  Placement(const Placement&) = delete;
  Placement& operator=(const Placement&) = delete;

  // False, with errno, when there are not enough descriptors.
  bool place(const std::vector<NamedDescriptor>& descriptors) {
    const int behind = SD_LISTEN_FDS_START + static_cast<int>(descriptors.size());
    for (const NamedDescriptor& one : descriptors) {
      const int copy = ::fcntl(one.descriptor, F_DUPFD_CLOEXEC, behind);
      if (copy < 0) return false;
      copies_.push_back(copy);
    }
    for (int place = SD_LISTEN_FDS_START; place < behind; ++place) {
      if (!save(place, behind)) return false;
    }
    placed_ = true;
    int place = SD_LISTEN_FDS_START;
    // Without close-on-exec, unlike the copy.
    return std::ranges::all_of(copies_, [&](int copy) { return copy_to(copy, place++, 0); });
  }

 private:
  struct Saved {
    int place;
    int copy;   // -1: nothing was there
    int flags;  // FD_CLOEXEC or none
  };

  bool save(int place, int behind) {
    const int flags = ::fcntl(place, F_GETFD);
    if (flags < 0) {
      saved_.push_back({.place = place, .copy = -1, .flags = 0});
      return true;
    }
    const int copy = ::fcntl(place, F_DUPFD_CLOEXEC, behind);
    if (copy < 0) return false;
    saved_.push_back({.place = place, .copy = copy, .flags = flags});
    return true;
  }

  void take_back() const {
    for (const auto& [place, copy, flags] : saved_) {
      if (placed_ && copy < 0) ::close(place);
      if (placed_ && copy >= 0) copy_to(copy, place, (flags & FD_CLOEXEC) != 0 ? O_CLOEXEC : 0);
      if (copy >= 0) ::close(copy);
    }
    for (const int copy : copies_) ::close(copy);
  }

  std::vector<int> copies_;
  std::vector<Saved> saved_;
  bool placed_ = false;
};

// The signals that a program dies of before it listens for them.
class IgnoredRequests {
 public:
  IgnoredRequests() {
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN;
    for (std::size_t i = 0; i < kRequests.size(); ++i) {
      ::sigaction(kRequests[i], &ignore, &before_[i]);
    }
  }
  ~IgnoredRequests() {
    for (std::size_t i = 0; i < kRequests.size(); ++i) {
      ::sigaction(kRequests[i], &before_[i], nullptr);
    }
  }
  IgnoredRequests(const IgnoredRequests&) = delete;
  IgnoredRequests& operator=(const IgnoredRequests&) = delete;

 private:
  std::array<struct sigaction, kRequests.size()> before_{};
};

// Everything from there on, also what a library has opened without saying so.
void close_when_executed(int first) {
  if (::close_range(static_cast<unsigned>(first), ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
  // Before Linux 5.11.
  for (int descriptor = first; descriptor < ::getdtablesize(); ++descriptor) {
    ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  }
}

std::vector<std::string> environment(const std::vector<NamedDescriptor>& descriptors) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (!text.starts_with("LISTEN_")) all.emplace_back(text);
  }
  std::string names;
  for (const NamedDescriptor& one : descriptors) {
    names += (&one == &descriptors.front() ? "" : ":") + one.name;
  }
  all.push_back("LISTEN_PID=" + std::to_string(::getpid()));
  all.push_back("LISTEN_FDS=" + std::to_string(descriptors.size()));
  all.push_back("LISTEN_FDNAMES=" + names);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

}  // namespace

std::string program_path(const char* started_as) {
  std::error_code error;
  // Found by the search path: then the kernel knows where. Not for the others, which may be links
  // that an upgrade points elsewhere.
  if (std::string_view(started_as).find('/') == std::string_view::npos) {
    return std::filesystem::read_symlink("/proc/self/exe", error).string();
  }
  return std::filesystem::absolute(started_as, error).string();
}

std::string execute_again(const std::string& program, const std::vector<std::string>& arguments,
                          const std::vector<NamedDescriptor>& descriptors) {
  if (::access(program.c_str(), X_OK) != 0) return reason(program + " cannot be executed");
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables = environment(descriptors);
  const std::vector<char*> argv = pointers(words);
  const std::vector<char*> envp = pointers(variables);
  Placement placement;
  if (!placement.place(descriptors))
    return reason("not enough descriptors to hand over what is open");
  close_when_executed(SD_LISTEN_FDS_START + static_cast<int>(descriptors.size()));
  const IgnoredRequests ignored;
  ::execve(program.c_str(), argv.data(), envp.data());
  return reason(program + " cannot be executed");
}

}  // namespace tbs::host

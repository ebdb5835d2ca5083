#include "daemon/server/account_finder.h"

#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <linux/nsfs.h>
#include <pwd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "daemon/server/proc_file.h"

namespace tbs::server {
namespace {

constexpr std::chrono::seconds kBetweenLooks{1};
// Of ranges: far more than any machine has users.
constexpr std::size_t kLongestFile = std::size_t{4} * 1024 * 1024;
constexpr std::size_t kLongestMap = 16384;
// user_namespaces(7): namespaces may be 32 deep.
constexpr int kDeepest = 32;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

std::optional<UserId> user_by_name(std::string_view name) {
  std::array<char, 4096> room{};
  passwd entry{};
  passwd* found = nullptr;
  const std::string text(name);
  if (getpwnam_r(text.c_str(), &entry, room.data(), room.size(), &found) != 0 || found == nullptr) {
    return std::nullopt;
  }
  return UserId{found->pw_uid};
}

policy::SubordinateUsers read_ranges(const std::string& path) {
  return {read_small_file(path, kLongestFile), user_by_name};
}

Descriptor user_namespace_of(const std::string& process) {
  return Descriptor(::open(("/proc/" + process + "/ns/user").c_str(), O_RDONLY | O_CLOEXEC));
}

bool same_file(int one, int other) {
  struct stat first{};
  struct stat second{};
  return ::fstat(one, &first) == 0 && ::fstat(other, &second) == 0 && first.st_ino == second.st_ino;
}

// Who made the namespace that leads to the process's; only a privileged daemon is told.
std::optional<UserId> maker_of_namespace(pid_t process) {
  const Descriptor own = user_namespace_of("self");
  Descriptor inner = user_namespace_of(std::to_string(process));
  if (!own.is_open() || !inner.is_open() || same_file(own.get(), inner.get())) return std::nullopt;
  for (int depth = 0; depth < kDeepest; ++depth) {
    Descriptor parent(::ioctl(inner.get(), NS_GET_PARENT));
    if (!parent.is_open()) return std::nullopt;
    if (same_file(own.get(), parent.get())) {
      uid_t maker = 0;
      if (::ioctl(inner.get(), NS_GET_OWNER_UID, &maker) != 0) return std::nullopt;
      return UserId{maker};
    }
    inner = std::move(parent);
  }
  return std::nullopt;
}

}  // namespace

AccountFinder::AccountFinder(boost::asio::io_context& io, std::string path)
    : path_(std::move(path)),
      own_map_(read_small_file("/proc/self/uid_map", kLongestMap)),
      reader_(io, loop::BlockingCalls::Order::NewestOnly, loop::BlockingCalls::AtEnd::LeaveBehind) {
  if (::stat(path_.c_str(), &read_) != 0) read_ = {};
  subordinate_ = read_ranges(path_);
}

void AccountFinder::read_again_if_changed() {
  const TimePoint now = std::chrono::steady_clock::now();
  if (now < next_look_) return;
  next_look_ = now + kBetweenLooks;
  struct stat found{};
  if (::stat(path_.c_str(), &found) != 0) found = {};
  const bool same = found.st_ino == read_.st_ino && found.st_size == read_.st_size &&
                    found.st_mtim.tv_sec == read_.st_mtim.tv_sec &&
                    found.st_mtim.tv_nsec == read_.st_mtim.tv_nsec;
  if (same) return;
  read_ = found;
  reader_.run([path = path_] { return read_ranges(path); },
              [this](policy::SubordinateUsers ranges) { subordinate_ = std::move(ranges); });
}

AccountId AccountFinder::account_of(UserId user) {
  read_again_if_changed();
  return tbs::account_of(subordinate_.owner_of(user).value_or(user));
}

AccountId AccountFinder::account_of(UserId user, pid_t process) {
  const AccountId by_file = account_of(user);
  if (process <= 0 || by_file != tbs::account_of(user)) return by_file;
  // A namespace that root has made is a container: its numbers are nobody's outside of it.
  const auto maker = maker_of_namespace(process);
  if (maker && *maker != UserId{0}) return account_of(*maker);
  const std::string map = read_of_process(process, "uid_map");
  if (map == own_map_) return by_file;
  const auto owner = policy::owner_by_map(user, map);
  return owner ? account_of(*owner) : by_file;
}

}  // namespace tbs::server

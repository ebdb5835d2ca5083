#include "tests/bench/flooding_process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/fd.h"
#include "tests/bench/unix_socket.h"
#include "tests/integration/support/raw_client.h"

namespace tbs::bench {
namespace {

constexpr std::size_t kAnswerRoom = std::size_t{1} << 18;
constexpr int kEvents = 256;

struct Flooder {
  Fd socket;
  std::size_t sent = 0;  // of the frames
};

// Connects and says hello; the answer is not looked at, it comes before any other.
Fd greeted(const Flooding& flooding, proto::Role role) {
  Fd socket = connect_unix(flooding.socket);
  send_whole(socket.get(),
             test::frame_of(1, proto::Hello{.role = role, .wanted = proto::kWantTpm20}));
  return socket;
}

void become_user(uid_t user) {
  if (::setgroups(0, nullptr) != 0 || ::setresgid(user, user, user) != 0 ||
      ::setresuid(user, user, user) != 0) {
    throw std::system_error(errno, std::generic_category(), "become another user");
  }
}

std::vector<Flooder> connect_all(const Flooding& flooding) {
  std::vector<Flooder> flooders;
  for (std::size_t i = 0; i < flooding.contexts + flooding.observers; ++i) {
    flooders.push_back(
        {.socket = greeted(flooding,
                           i < flooding.contexts ? proto::Role::Context : proto::Role::Observer)});
    std::array<std::uint8_t, 64> reply{};
    if (::recv(flooders.back().socket.get(), reply.data(), reply.size(), 0) <= 0) {
      throw std::runtime_error("the daemon refused a connection of the flood");
    }
    ::fcntl(flooders.back().socket.get(), F_SETFL, O_NONBLOCK);
  }
  return flooders;
}

void send_more(Flooder& flooder, proto::Bytes frames) {
  const auto rest = frames.subspan(flooder.sent);
  const ssize_t count = ::send(flooder.socket.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
  if (count > 0) flooder.sent = (flooder.sent + static_cast<std::size_t>(count)) % frames.size();
}

// False: the daemon has hung up.
bool read_answers(const Flooder& flooder, std::vector<std::uint8_t>& room) {
  return ::recv(flooder.socket.get(), room.data(), room.size(), 0) != 0;
}

void flood(const Flooding& flooding, std::vector<Flooder>& flooders) {
  const Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  for (std::size_t i = 0; i < flooders.size(); ++i) {
    epoll_event wanted{.events = EPOLLIN | EPOLLOUT, .data = {.u64 = i}};
    ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, flooders[i].socket.get(), &wanted);
  }
  std::vector<std::uint8_t> room(kAnswerRoom);
  std::array<epoll_event, kEvents> events{};
  while (true) {
    const int count = ::epoll_wait(epoll.get(), events.data(), kEvents, -1);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events.at(static_cast<std::size_t>(i));
      Flooder& flooder = flooders[event.data.u64];
      if ((event.events & EPOLLIN) != 0 && flooding.reads && !read_answers(flooder, room)) return;
      if ((event.events & EPOLLOUT) != 0) send_more(flooder, flooding.frames);
    }
    if (!flooding.reads) ::usleep(20000);
  }
}

void come_and_go(const Flooding& flooding) {
  while (true) static_cast<void>(greeted(flooding, proto::Role::Context));
}

// In a process of its own; ends with it.
void run(const Flooding& flooding, const Fd& ready) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  become_user(flooding.user);
  std::vector<Flooder> flooders = connect_all(flooding);
  const char byte = 'r';
  if (::write(ready.get(), &byte, 1) != 1) return;
  flooding.frames.empty() ? come_and_go(flooding) : flood(flooding, flooders);
}

}  // namespace

FloodingProcess::FloodingProcess(const Flooding& flooding) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe");
  }
  Fd ready(ends[0]);
  Fd told(ends[1]);
  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) {
    try {
      run(flooding, told);
    } catch (const std::exception&) {
      // The pipe says it.
    }
    ::_exit(1);
  }
  told = Fd();
  char byte = 0;
  if (::read(ready.get(), &byte, 1) == 1) return;
  ::waitpid(pid_, nullptr, 0);
  throw std::runtime_error("the flood did not begin: is this root?");
}

FloodingProcess::~FloodingProcess() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

// Not by the C library, which changes all threads.
void become_user_in_thread(uid_t user) {
  ::syscall(SYS_setgroups, 0, nullptr);
  ::syscall(SYS_setresgid, user, user, user);
  if (::syscall(SYS_setresuid, user, user, user) != 0) {
    throw std::system_error(errno, std::generic_category(), "become another user");
  }
}

}  // namespace tbs::bench

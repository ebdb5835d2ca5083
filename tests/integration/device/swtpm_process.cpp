#include "tests/integration/device/swtpm_process.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tbs::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool can_bind(std::uint16_t port) {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool free = ::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(probe);
  return free;
}

// A socket is there before anybody listens on it. The fourth field of /proc/net/unix says who does
// (proc_pid_net(5); SO_ACCEPTCON of the kernel's net/unix).
bool listens(const std::string& path) {
  constexpr unsigned long kAccepts = 0x10000;
  std::ifstream sockets("/proc/net/unix");
  for (std::string line; std::getline(sockets, line);) {
    std::istringstream fields(line);
    std::string flags;
    for (int field = 0; field < 4; ++field) fields >> flags;
    if (line.ends_with(" " + path) && (std::stoul(flags, nullptr, 16) & kAccepts) != 0) return true;
  }
  return false;
}

pid_t start(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int null = ::open("/dev/null", O_RDWR);
  ::dup2(null, STDOUT_FILENO);
  ::dup2(null, STDERR_FILENO);
  ::execvp(argv[0], argv.data());
  ::_exit(127);
}

}  // namespace

SwtpmProcess::SwtpmProcess(const std::string& state_dir, std::vector<std::string> arguments,
                           const std::string& path, std::uint16_t port) {
  std::vector<std::string> all{"swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + state_dir};
  all.insert(all.end(), arguments.begin(), arguments.end());
  pid_ = start(all);
  for (int i = 0; i < 2000; ++i) {
    const bool there = port != 0 ? !can_bind(port) : listens(path);
    if (there) return;
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) break;
    ::usleep(10'000);
  }
  throw std::runtime_error("swtpm did not start");
}

SwtpmProcess::~SwtpmProcess() {
  kill();
}

void SwtpmProcess::kill() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

void SwtpmProcess::send(int signal) const {
  ::kill(pid_, signal);
}

std::uint16_t free_port_pair() {
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const auto port = static_cast<std::uint16_t>(20000 + (::getpid() * 7 + attempt * 2) % 12000);
    if (can_bind(port) && can_bind(static_cast<std::uint16_t>(port + 1))) return port;
  }
  throw std::runtime_error("no free port");
}

}  // namespace tbs::test

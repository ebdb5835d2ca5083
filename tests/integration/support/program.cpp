#include "tests/integration/support/program.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/support/temp_folder.h"

namespace tbs::test {
namespace {

constexpr int kFirstPassedDescriptor = 3;  // SD_LISTEN_FDS_START

int code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void redirect_output(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) ::_exit(126);
  ::dup2(file, STDOUT_FILENO);
  ::dup2(file, STDERR_FILENO);
}

void pass_listening_socket(int socket) {
  // Away from its own number first: dup2() to itself would leave the close-on-exec flag on.
  const int copy = ::dup(socket);
  ::dup2(copy, kFirstPassedDescriptor);
  if (copy != kFirstPassedDescriptor) ::close(copy);
  ::setenv("LISTEN_FDS", "1", 1);
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
}

[[noreturn]] void become(const ProgramOptions& options) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const std::string& entry : options.environment) ::putenv(::strdup(entry.c_str()));
  if (!options.output.empty()) redirect_output(options.output);
  if (options.listening >= 0) pass_listening_socket(options.listening);
  std::vector<char*> argv;
  for (const std::string& word : options.command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv.front(), argv.data());
  ::_exit(127);
}

// The letter of /proc/PID/stat: behind the name, which is in parentheses and may hold any
// character.
char state_of(pid_t pid) {
  const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t end = stat.rfind(')');
  return end == std::string::npos || end + 2 >= stat.size() ? '?' : stat[end + 2];
}

}  // namespace

Program::Program(const ProgramOptions& options) : pid_(::fork()) {
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) become(options);
}

Program::~Program() {
  if (!running()) return;
  signal(SIGKILL);
  wait();
}

void Program::signal(int number) const {
  if (!exit_code_) ::kill(pid_, number);
}

std::optional<int> Program::wait(std::chrono::milliseconds patience) {
  eventually([this] { return !running(); }, patience);
  return exit_code_;
}

bool Program::running() {
  int status = 0;
  if (!exit_code_ && ::waitpid(pid_, &status, WNOHANG) == pid_) exit_code_ = code_of(status);
  return !exit_code_;
}

void freeze(pid_t pid) {
  ::kill(pid, SIGSTOP);
  if (!eventually([pid] { return state_of(pid) == 'T'; })) {
    throw std::runtime_error("process " + std::to_string(pid) + " does not stop");
  }
}

void thaw(pid_t pid) {
  ::kill(pid, SIGCONT);
}

std::vector<pid_t> children_of(pid_t pid) {
  const std::string process = std::to_string(pid);
  std::ifstream list("/proc/" + process + "/task/" + process + "/children");
  std::vector<pid_t> children;
  for (pid_t child = 0; list >> child;) children.push_back(child);
  return children;
}

std::size_t resident_bytes(pid_t pid) {
  std::ifstream statm("/proc/" + std::to_string(pid) + "/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::chrono::nanoseconds processor_time(pid_t pid) {
  std::ifstream schedstat("/proc/" + std::to_string(pid) + "/schedstat");
  std::chrono::nanoseconds::rep time = 0;
  schedstat >> time;
  return std::chrono::nanoseconds(time);
}

}  // namespace tbs::test

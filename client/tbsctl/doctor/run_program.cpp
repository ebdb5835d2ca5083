#include "client/tbsctl/doctor/run_program.h"

#include <array>
#include <csignal>
#include <cstdint>
#include <spawn.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/socket_stream.h"

namespace tbs::ctl {
namespace {

constexpr std::size_t kMostOutput = 65536;

class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) ends_ = {-1, -1};
  }
  ~Pipe() {
    if (ends_[0] >= 0) ::close(ends_[0]);
    close_writer();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  [[nodiscard]] int reader() const { return ends_[0]; }
  [[nodiscard]] int writer() const { return ends_[1]; }
  void close_writer() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

pid_t spawn(const std::vector<std::string>& words, int output) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  if (::posix_spawn_file_actions_init(&actions) != 0) return 0;
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  pid_t child = 0;
  const int error =
      ::posix_spawnp(&child, words.front().c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? child : 0;
}

// Whether it came to its end before the deadline.
bool read_output(int from, std::string& text, client::Deadline deadline) {
  std::array<char, 4096> room{};
  while (client::wait_for(from, POLLIN, deadline)) {
    const ssize_t count = ::read(from, room.data(), room.size());
    if (count <= 0) return true;
    if (text.size() < kMostOutput) text.append(room.data(), static_cast<std::size_t>(count));
    if (client::is_over(deadline)) return false;
  }
  return false;
}

}  // namespace

ProgramOutput run_program(const std::vector<std::string>& words, std::chrono::milliseconds time) {
  ProgramOutput output;
  Pipe pipe;
  const pid_t child = pipe.writer() < 0 ? 0 : spawn(words, pipe.writer());
  pipe.close_writer();
  if (child == 0) return output;
  output.started = true;
  output.in_time = read_output(pipe.reader(), output.text, client::Clock::now() + time);
  if (!output.in_time) ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (output.in_time && WIFEXITED(status)) output.exit = WEXITSTATUS(status);
  return output;
}

}  // namespace tbs::ctl

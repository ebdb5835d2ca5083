#include "daemon/host/execute_again.h"

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/support/temp_folder.h"
#include "tests/support/catch2.h"

using namespace tbs;
using host::execute_again;
using test::TempFolder;

namespace {

constexpr int kHighest = 256;

void write_program(const std::string& path, const std::string& text) {
  test::write_file(path, text);
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
}

int open_file(const std::string& path) {
  return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

// Descriptors and signals as a process sees them: what is where.
std::string state_of_process() {
  std::string state;
  for (int descriptor = 0; descriptor < kHighest; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) < 0) continue;
    std::error_code ignored;
    state += std::to_string(descriptor) + " " +
             std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(descriptor), ignored)
                 .string() +
             "\n";
  }
  for (const int signal : {SIGHUP, SIGUSR2, SIGTERM}) {
    struct sigaction action{};
    ::sigaction(signal, nullptr, &action);
    state += action.sa_handler == SIG_DFL ? "default " : "other ";
  }
  return state;
}

}  // namespace

TEST_CASE("the program is executed with the descriptors and their names", "[host][execute]") {
  const TempFolder folder;
  const std::string program = folder / "program";
  write_program(program, R"(#!/bin/sh
{
  echo "$@ of $LISTEN_FDS $LISTEN_FDNAMES $OTHER"
  test "$LISTEN_PID" = $$ && echo "for me"
  for number in 3 4 5 6; do readlink /proc/$$/fd/$number || echo none; done
  grep SigIgn /proc/$$/status
} >"$0.said" 2>/dev/null
)");
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("LISTEN_FDNAMES", "old", 1);
    ::setenv("OTHER", "other", 1);
    // The numbers that they get may be in use, by each other also.
    ::close_range(3, ~0U, 0);
    const int one = open_file(folder / "one");
    const int two = open_file(folder / "two");
    const int three = open_file(folder / "three");
    // Of a library that does not think of this.
    static_cast<void>(::dup(three));
    execute_again(program, {"a", "b c"}, {{"client-2", two}, {"record", three}, {"tpm-x@t", one}});
    ::_exit(1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  const std::string said = test::read_file(program + ".said");
  INFO(said);
  CHECK(said.starts_with("a b c of 3 client-2:record:tpm-x@t other\nfor me\n" + folder / "two" +
                         "\n" + folder / "three" + "\n" + folder / "one" + "\n"));
  // 6 was the interpreter's to use, or nobody's; SIGHUP is 1, SIGUSR2 12.
  const std::size_t mask = said.find("SigIgn:");
  REQUIRE(mask != std::string::npos);
  CHECK((std::stoull(said.substr(mask + 8), nullptr, 16) & 0x801) == 0x801);
}

TEST_CASE("when the program cannot be executed all is as it was", "[host][execute]") {
  const TempFolder folder;
  const std::string broken = folder / "broken";
  write_program(broken, "no program");
  const auto wrong = GENERATE(as<std::string>(), "broken", "nowhere", "folder/", "unreadable");
  test::write_file(folder / "unreadable", "not executable");
  INFO(wrong);
  // It waits for something that the attempt has in its way.
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const int waiting = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{.events = EPOLLIN, .data = {.fd = ends[0]}};
  REQUIRE(::epoll_ctl(waiting, EPOLL_CTL_ADD, ends[0], &event) == 0);
  const int file = open_file(folder / "file");
  const int plain = ::dup(file);

  const std::string before = state_of_process();
  std::vector<host::NamedDescriptor> many;
  for (int i = 0; i < 40; ++i) many.push_back({"client-" + std::to_string(i), file});
  const std::string reason = execute_again(folder / wrong, {}, many);
  CHECK(reason.starts_with(folder / wrong + " cannot be executed: "));
  CHECK(state_of_process() == before);

  REQUIRE(::write(ends[1], "x", 1) == 1);
  CHECK(::epoll_wait(waiting, &event, 1, 0) == 1);
  CHECK(event.data.fd == ends[0]);
  for (const int descriptor : {ends[0], ends[1], waiting, file, plain}) ::close(descriptor);
}

TEST_CASE("too many descriptors are no reason to end", "[host][execute]") {
  const std::string before = state_of_process();
  const std::vector<host::NamedDescriptor> many(2'000'000, {"client-1", STDIN_FILENO});
  CHECK(execute_again("/bin/true", {}, many).starts_with("not enough descriptors"));
  CHECK(state_of_process() == before);
}

TEST_CASE("the program is known by the path that it was started with", "[host][execute]") {
  CHECK(host::program_path("/usr/sbin/../sbin/tbsd") == "/usr/sbin/../sbin/tbsd");
  CHECK(host::program_path("bin/tbsd") == (std::filesystem::current_path() / "bin/tbsd").string());
  CHECK(host::program_path("tbsd") == std::filesystem::read_symlink("/proc/self/exe").string());
}

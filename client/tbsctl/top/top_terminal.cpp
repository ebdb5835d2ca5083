#include "client/tbsctl/top/top_terminal.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <termios.h>

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace tbs::ctl {
namespace {

// ECMA-48, and xterm's second screen, which every terminal emulator has; the Linux console passes
// it over.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view kLeave = "\x1b[m\x1b[?25h\x1b[?1049l";

constexpr std::array kEndingSignals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

// Of the one terminal that a process has; signal handlers need them.
termios saved_mode{};
termios drawing_mode{};

bool write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// These two call nothing that a signal handler may not.
void take_terminal() {
  ::tcsetattr(STDIN_FILENO, TCSANOW, &drawing_mode);
  write_all(kEnter);
}
void give_back_terminal() {
  write_all(kLeave);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &saved_mode);
}

// The handler is taken off before it is called (SA_RESETHAND): the signal then does what it does.
void on_ending_signal(int signal) {
  const int error = errno;
  give_back_terminal();
  ::raise(signal);
  errno = error;
}

// For what wait() is interrupted by.
void on_resize(int /*signal*/) {}

void block(int signal, bool blocked) {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, signal);
  ::pthread_sigmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &set, nullptr);
}

void set_handler(int signal, void (*handler)(int), int flags) {
  struct sigaction old{};
  ::sigaction(signal, nullptr, &old);
  if (old.sa_handler == SIG_IGN) return;  // as nohup(1) wants it
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = flags;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

// The kernel decides whether it stops: it does not where nobody could have it go on.
void on_stop_signal(int signal) {
  const int error = errno;
  give_back_terminal();
  set_handler(signal, SIG_DFL, 0);
  block(signal, false);
  ::raise(signal);
  // It goes on here.
  set_handler(signal, on_stop_signal, SA_RESTART);
  take_terminal();
  ::raise(SIGWINCH);
  errno = error;
}

void set_handlers(bool ours) {
  for (const int signal : kEndingSignals) {
    set_handler(signal, ours ? on_ending_signal : SIG_DFL,
                ours ? static_cast<int>(SA_RESETHAND) : 0);
  }
  set_handler(SIGTSTP, ours ? on_stop_signal : SIG_DFL, ours ? SA_RESTART : 0);
  set_handler(SIGWINCH, ours ? on_resize : SIG_DFL, 0);
}

timespec until(client::Clock::time_point deadline) {
  using std::chrono::nanoseconds;
  const auto left = std::max<nanoseconds>(deadline - client::Clock::now(), nanoseconds::zero());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  return {.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
}

}  // namespace

bool TopTerminal::usable() {
  const char* const kind = std::getenv("TERM");
  const bool dumb =
      kind == nullptr || std::string_view(kind).empty() || std::string_view(kind) == "dumb";
  return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1 && !dumb;
}

TopTerminal::TopTerminal() {
  ::tcgetattr(STDIN_FILENO, &saved_mode);
  drawing_mode = saved_mode;
  drawing_mode.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  drawing_mode.c_cc[VMIN] = 1;
  drawing_mode.c_cc[VTIME] = 0;
  // It comes during wait() alone, so that none is missed.
  block(SIGWINCH, true);
  set_handlers(true);
  take_terminal();
}

TopTerminal::~TopTerminal() {
  give_back_terminal();
  set_handlers(false);
  block(SIGWINCH, false);
}

ScreenSize TopTerminal::size() const {
  winsize window{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0) return {};
  return {.width = window.ws_col, .height = std::max<std::size_t>(window.ws_row, 1)};
}

bool TopTerminal::draw(const std::vector<ScreenLine>& lines) const {
  const std::size_t width = size().width;
  std::string text = "\x1b[H";
  for (const ScreenLine& line : lines) {
    if (&line != &lines.front()) text += "\r\n";
    text += line.reversed ? "\x1b[7m" + line.text + "\x1b[m" : line.text;
    // Behind the last column this would take the last character away.
    if (line.text.size() < width) text += "\x1b[K";
  }
  return write_all(text);
}

std::optional<std::string> TopTerminal::wait(client::Clock::time_point deadline) {
  pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  const timespec time = until(deadline);
  sigset_t none;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &none);
  ::sigdelset(&none, SIGWINCH);
  const int ready = ::ppoll(&input, 1, &time, &none);
  if (ready == 0 || (ready < 0 && errno == EINTR)) return "";
  if (ready < 0) return std::nullopt;
  std::array<char, 256> bytes{};
  const ssize_t count = ::read(STDIN_FILENO, bytes.data(), bytes.size());
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return "";
  if (count <= 0) return std::nullopt;
  return std::string(bytes.data(), static_cast<std::size_t>(count));
}

}  // namespace tbs::ctl

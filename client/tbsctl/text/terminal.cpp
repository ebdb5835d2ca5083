#include "client/tbsctl/text/terminal.h"

#include <cstdlib>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

namespace tbs::ctl {
namespace {

std::string_view environment_value(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view{} : value;
}

bool has_colours() {
  const std::string_view kind = environment_value("TERM");
  return !kind.empty() && kind != "dumb" && environment_value("NO_COLOR").empty();
}

}  // namespace

Terminal terminal_at(int descriptor, ColourChoice choice) {
  const bool is_terminal = ::isatty(descriptor) == 1;
  Terminal terminal{.colours = choice == ColourChoice::Always ||
                               (choice == ColourChoice::Auto && is_terminal && has_colours()),
                    .columns = std::nullopt};
  winsize size{};
  if (is_terminal && ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    terminal.columns = size.ws_col;
  }
  return terminal;
}

}  // namespace tbs::ctl

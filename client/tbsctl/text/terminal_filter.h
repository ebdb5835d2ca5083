#pragma once

// Stands before standard output and standard error: whatever a subcommand prints as text, nothing
// of it steers a terminal (proto/terminal_text.h), but for the ends of lines and the colours of
// colour.h. Bytes that were asked for (--raw) go past it, see Console::bytes().

#include <ostream>
#include <streambuf>
#include <string>

#include "client/tbsctl/text/colour.h"
#include "client/tbsctl/text/terminal.h"

namespace tbs::ctl {

class TerminalFilter : public std::streambuf {
 public:
  // It must outlive the filter.
  explicit TerminalFilter(std::ostream& out) : out_(out) {}
  ~TerminalFilter() override { pass_on(); }
  TerminalFilter(const TerminalFilter&) = delete;
  TerminalFilter& operator=(const TerminalFilter&) = delete;

  // What it leads to, once that is known. Without it: nothing that has colours or a width.
  void set_terminal(const Terminal& terminal) { terminal_ = terminal; }
  [[nodiscard]] const Terminal& terminal() const { return terminal_; }
  // Of what follows.
  void set_colour(Colour colour);

 protected:
  int_type overflow(int_type character) override;
  std::streamsize xsputn(const char* text, std::streamsize size) override;
  int sync() override;

 private:
  void take(char character);
  void pass_on();

  std::ostream& out_;
  Terminal terminal_;
  std::string held_;  // since the last end of a line
};

}  // namespace tbs::ctl

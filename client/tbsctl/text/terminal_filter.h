#pragma once

// Stands before standard output and standard error: whatever a subcommand prints as text, nothing
// of it steers a terminal (proto/terminal_text.h), but for the ends of lines. Bytes that were asked
// for (--raw) go past it, see Console::bytes().

#include <ostream>
#include <streambuf>
#include <string>

namespace tbs::ctl {

class TerminalFilter : public std::streambuf {
 public:
  // It must outlive the filter.
  explicit TerminalFilter(std::ostream& out) : out_(out) {}
  ~TerminalFilter() override { pass_on(); }
  TerminalFilter(const TerminalFilter&) = delete;
  TerminalFilter& operator=(const TerminalFilter&) = delete;

 protected:
  int_type overflow(int_type character) override;
  std::streamsize xsputn(const char* text, std::streamsize size) override;
  int sync() override;

 private:
  void take(char character);
  void pass_on();

  std::ostream& out_;
  std::string held_;  // since the last end of a line
};

}  // namespace tbs::ctl

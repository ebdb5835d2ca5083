// tbsctl: asks tbsd about itself and its TPM, cancels commands, and sends TPM commands. The
// subcommands are listed in command_line/subcommands.cpp.

#include <iostream>
#include <system_error>

#include <unistd.h>

#include "client/tbsctl/command_line/run.h"
#include "client/tbsctl/text/terminal_filter.h"
#include "proto/terminal_text.h"
#include "proto/tpm/structures.h"

namespace tbs::ctl {
namespace {

void complain(std::string_view message) {
  std::cerr << "tbsctl: " << proto::terminal_text(message) << '\n';
}

Outcome run(int argc, const char* const* argv) {
  TerminalFilter filtered_output(std::cout);
  TerminalFilter filtered_notes(std::cerr);
  std::ostream out(&filtered_output);
  std::ostream notes(&filtered_notes);
  const auto line = parse_command_line(argc, argv, out);
  if (!line) return std::unexpected(line.error());
  if (!line->has_value()) return {};
  filtered_output.set_terminal(terminal_at(STDOUT_FILENO, (*line)->colours));
  auto outcome = run_command_line(**line, {.text = out, .bytes = std::cout, .notes = notes});
  out.flush();
  notes.flush();
  return outcome;
}

// Says what went wrong, also when the output went nowhere (a full disk), and gives the exit code.
int finish(const Outcome& outcome) {
  std::cout.flush();
  Exit exit = outcome ? Exit::Ok : outcome.error().exit;
  if (!outcome && !outcome.error().message.empty()) complain(outcome.error().message);
  if (!std::cout) {
    complain("cannot write to standard output");
    if (exit == Exit::Ok) exit = Exit::Failed;
  }
  return static_cast<int>(exit);
}

}  // namespace
}  // namespace tbs::ctl

int main(int argc, char** argv) {
  tbs::tpm::silence_marshalling();
  try {
    return tbs::ctl::finish(tbs::ctl::run(argc, argv));
  } catch (const std::bad_alloc&) {
    tbs::ctl::complain("out of memory");
  } catch (const std::system_error& error) {  // the system is short of descriptors or threads
    tbs::ctl::complain(error.what());
  } catch (const std::exception& error) {
    tbs::ctl::complain(std::string("internal error: ") + error.what());
  }
  return static_cast<int>(tbs::ctl::Exit::Failed);
}

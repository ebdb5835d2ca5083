// tbsctl: asks tbsd about itself and its TPM, cancels commands, and sends TPM commands. This file
// only puts the parts together; the subcommands are in command_*.cpp.

#include <iostream>

#include "client/tbsctl/command_line/commands.h"
#include "client/tbsctl/command_line/options.h"
#include "client/tbsctl/connection/connect.h"
#include "client/tbsctl/tpm/command_bytes.h"

namespace tbs::ctl {
namespace {

bool needs_context(const Options& options) {
  switch (options.command) {
    case Command::Submit:
    case Command::Random:
    case Command::Pcr:
    case Command::Id:
    case Command::Lockout:
      return true;
    case Command::Log:
      return options.compare && !options.raw;
    default:
      return false;
  }
}

std::uint32_t families_for(Command command) {
  return command == Command::Random || command == Command::Id
             ? proto::kWantTpm20
             : proto::kWantTpm12 | proto::kWantTpm20;
}

std::expected<Conversation, Failure> open_conversation(const Options& options) {
  auto stream = connect_to_daemon(options.socket);
  if (!stream) return std::unexpected(std::move(stream.error()));
  Conversation daemon(*std::move(stream));
  const auto role = needs_context(options) ? proto::Role::Context : proto::Role::Observer;
  const auto hello = daemon.handshake(role, families_for(options.command));
  if (!hello) return std::unexpected(hello.error());
  return daemon;
}

LogRequest log_request(const Options& options) {
  return {.file = options.file, .raw = options.raw, .compare = options.compare};
}

Outcome run_command(const Options& options, const Console& console, const SubmitRequest& submit) {
  if (options.command == Command::Log && !options.file.empty()) {
    return run_log(nullptr, console, log_request(options));
  }
  if (options.command == Command::Bridge) {
    return run_bridge(options.bridge, options.socket, console);
  }
  if (options.command == Command::PolicyCheck) {
    return run_policy_check(console, options.question.folder);
  }
  if (options.command == Command::Events) return run_events(console);
  if (options.command == Command::PolicyExplain) return run_policy_explain(console, options);
  auto daemon = open_conversation(options);
  if (!daemon) return std::unexpected(std::move(daemon.error()));
  switch (options.command) {
    case Command::Info:
      return run_info(*daemon, console);
    case Command::Status:
      return run_status(*daemon, console);
    case Command::Contexts:
      return run_contexts(*daemon, console);
    case Command::Limits:
      return run_limits(*daemon, console);
    case Command::Lockout:
      return run_lockout(*daemon, console);
    case Command::LockoutReset:
      return run_lockout_reset(*daemon, console, options.uid);
    case Command::PolicyCheck:
    case Command::PolicyExplain:
    case Command::Events:
      break;
    case Command::Cancel:
      return run_cancel(*daemon, console, options.context);
    case Command::Submit:
      return run_submit(*daemon, console, submit);
    case Command::Random:
      return run_random(*daemon, console, options.count, options.raw);
    case Command::Log:
      return run_log(&*daemon, console, log_request(options));
    case Command::Pcr:
      return run_pcr(*daemon, console, options.pcrs);
    case Command::Id:
      return run_id(*daemon, console);
    case Command::Ppi:
      return run_ppi(*daemon, console, options.presence);
    case Command::Bridge:
      break;
  }
  return {};
}

std::expected<SubmitRequest, Failure> submit_request(const Options& options) {
  SubmitRequest request{.command = {},
                        .priority = options.priority,
                        .locality = options.locality,
                        .raw = options.raw};
  if (options.command != Command::Submit) return request;
  auto command =
      options.file.empty() ? command_from_hex(options.hex) : command_from_file(options.file);
  if (!command) return std::unexpected(std::move(command.error()));
  request.command = *std::move(command);
  return request;
}

Outcome run(int argc, const char* const* argv) {
  const auto options = parse_options(argc, argv, std::cout);
  if (!options) return std::unexpected(options.error());
  if (!options->has_value()) return {};
  auto submit = submit_request(**options);
  if (!submit) return std::unexpected(std::move(submit.error()));
  const Console console{.out = std::cout, .notes = std::cerr, .json = (*options)->json};
  return run_command(**options, console, *submit);
}

// Says what went wrong, also when the output went nowhere (a full disk), and gives the exit code.
int finish(const Outcome& outcome) {
  std::cout.flush();
  Exit exit = outcome ? Exit::Ok : outcome.error().exit;
  if (!outcome) std::cerr << "tbsctl: " << outcome.error().message << '\n';
  if (!std::cout) {
    std::cerr << "tbsctl: cannot write to standard output\n";
    if (exit == Exit::Ok) exit = Exit::Failed;
  }
  return static_cast<int>(exit);
}

}  // namespace
}  // namespace tbs::ctl

int main(int argc, char** argv) {
  try {
    return tbs::ctl::finish(tbs::ctl::run(argc, argv));
  } catch (const std::exception& error) {
    std::cerr << "tbsctl: internal error: " << error.what() << '\n';
    return static_cast<int>(tbs::ctl::Exit::Failed);
  }
}

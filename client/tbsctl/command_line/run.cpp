#include "client/tbsctl/command_line/run.h"

#include "client/tbsctl/connection/connect.h"

namespace tbs::ctl {
namespace {

std::expected<Conversation, Failure> open_conversation(const std::string& socket, Needs needs) {
  auto stream = connect_to_daemon(socket);
  if (!stream) return std::unexpected(std::move(stream.error()));
  Conversation daemon(*std::move(stream));
  const bool context = needs.connection == Needs::Connection::Context;
  const auto hello =
      daemon.handshake(context ? proto::Role::Context : proto::Role::Observer, needs.families);
  if (!hello) return std::unexpected(hello.error());
  return daemon;
}

Outcome run(const CommandLine& line, const Console& console) {
  const Subcommand& subcommand = line.subcommand;
  if (subcommand.prepare) {
    if (auto ready = subcommand.prepare(); !ready) return ready;
  }
  const Needs needs = subcommand.needs();
  if (needs.connection == Needs::Connection::None) {
    return subcommand.run({.console = console, .socket = line.socket});
  }
  auto daemon = open_conversation(line.socket, needs);
  if (!daemon) return std::unexpected(std::move(daemon.error()));
  return subcommand.run({.console = console, .daemon = &*daemon, .socket = line.socket});
}

}  // namespace

Outcome run_command_line(const CommandLine& line, const Output& output) {
  const Console console{
      .out = output.text, .notes = output.notes, .json = line.json, .raw = &output.bytes};
  auto outcome = run(line, console);
  if (!outcome) outcome.error().message += advice_text(outcome.error().advice, line.title);
  return outcome;
}

}  // namespace tbs::ctl

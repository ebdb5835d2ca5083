#include <optional>

#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/readers.h"
#include "client/tbsctl/contexts/commands.h"
#include "client/tbsctl/contexts/context_pages.h"

namespace tbs::ctl {
namespace {

struct CancelOptions {
  std::optional<std::uint64_t> context;
  std::optional<std::uint32_t> pid;
};

Failure cancel_failure(std::uint64_t context, proto::Status status) {
  const std::string what = "cannot cancel context " + std::to_string(context);
  Failure failure = tbs_failure(what, status);
  if (status == proto::Status::InvalidContext) {
    failure.message = what + ": there is none with this number; `tbsctl contexts` lists them";
  } else if (status == proto::Status::AccessDenied) {
    failure.message = what + ": it belongs to another user or tenant";
  }
  return failure;
}

// One of both says what to cancel.
Outcome check_cancel(const CancelOptions& options) {
  if (options.context.has_value() != options.pid.has_value()) return {};
  return std::unexpected(
      Failure{.exit = Exit::Usage,
              .message = "cancel needs either the ID of a context or --pid; see `tbsctl cancel "
                         "--help`"});
}

}  // namespace

Outcome cancel_context(Conversation& daemon, std::uint64_t context, client::Deadline deadline) {
  const auto reply = daemon.ask(proto::CancelContext{.context = context}, deadline);
  if (!reply) return std::unexpected(reply.error());
  if (reply->status == proto::Status::Success) return {};
  return std::unexpected(cancel_failure(context, reply->status));
}

Outcome run_cancel(Conversation& daemon, const Console& console, std::uint64_t context) {
  const auto deadline = Conversation::deadline_for(Patience::Answer);
  if (auto canceled = cancel_context(daemon, context, deadline); !canceled) return canceled;
  if (console.json) {
    print_json(console.out, {{"context", context}, {"canceled", true}});
  } else {
    console.out << "Cancelled what context " << context << " had outstanding.\n";
  }
  return {};
}

Outcome run_cancel_process(Conversation& daemon, const Console& console, std::uint32_t pid) {
  const auto entries = all_contexts(daemon);
  if (!entries) return std::unexpected(entries.error());
  auto canceled = nlohmann::ordered_json::array();
  for (const proto::ContextEntry& entry : *entries) {
    if (entry.pid != pid) continue;
    const auto reply = daemon.ask(proto::CancelContext{.context = entry.context});
    if (!reply) return std::unexpected(reply.error());
    // It may have gone meanwhile.
    if (reply->status == proto::Status::InvalidContext) continue;
    if (reply->status != proto::Status::Success) {
      return std::unexpected(cancel_failure(entry.context, reply->status));
    }
    canceled.push_back(entry.context);
  }
  const std::size_t count = canceled.size();
  if (count == 0) {
    return std::unexpected(Failure{.exit = Exit::Failed,
                                   .message = "process " + std::to_string(pid) +
                                              " has no context; `tbsctl contexts` lists who has"});
  }
  if (console.json) {
    print_json(console.out, {{"pid", pid}, {"contexts", canceled}, {"canceled", true}});
  } else {
    console.out << "Cancelled what process " << pid << " had outstanding, in " << count
                << (count == 1 ? " context.\n" : " contexts.\n");
  }
  return {};
}

Subcommand cancel_subcommand() {
  const auto options = std::make_shared<CancelOptions>();
  return {.name = "cancel",
          .summary = "Cancel what a context has outstanding",
          .help =
              "Its commands return TBS_E_COMMAND_CANCELED; the context stays open. Everybody can "
              "cancel the\ncommands of contexts of their own user, an administrator any.\n\n"
              "Examples:\n  tbsctl cancel 17\n  tbsctl cancel --pid $(pidof tpm2_create)",
          .options = {{.name = "ID",
                       .about = "Number of the context, from `tbsctl contexts`",
                       .read = read_number(field(options, &CancelOptions::context)),
                       .offer = {Offer::Kind::Contexts}},
                      {.name = "--pid",
                       .value = "PID",
                       .about = "Of all contexts of this process instead",
                       .read = read_number(field(options, &CancelOptions::pid))}},
          .prepare = [options] { return check_cancel(*options); },
          .needs = always(kObserver),
          .run =
              [options](const Environment& environment) {
                Conversation& daemon = *environment.daemon;
                if (options->pid)
                  return run_cancel_process(daemon, environment.console, *options->pid);
                return run_cancel(daemon, environment.console, *options->context);
              }};
}

}  // namespace tbs::ctl

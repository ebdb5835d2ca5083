#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/readers.h"
#include "client/tbsctl/contexts/commands.h"

namespace tbs::ctl {
namespace {

struct CancelOptions {
  std::uint64_t context = 0;
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

}  // namespace

Outcome run_cancel(Conversation& daemon, const Console& console, std::uint64_t context) {
  const auto reply = daemon.ask(proto::CancelContext{.context = context});
  if (!reply) return std::unexpected(reply.error());
  if (reply->status != proto::Status::Success) {
    return std::unexpected(cancel_failure(context, reply->status));
  }
  if (console.json) {
    print_json(console.out, {{"context", context}, {"canceled", true}});
  } else {
    console.out << "Cancelled what context " << context << " had outstanding.\n";
  }
  return {};
}

Subcommand cancel_subcommand() {
  const auto options = std::make_shared<CancelOptions>();
  return {.name = "cancel",
          .summary = "Cancel what a context has outstanding",
          .help =
              "Its commands return TBS_E_COMMAND_CANCELED; the context stays open. Everybody can "
              "cancel the\ncommands of contexts of their own user, an administrator any.",
          .options = {{.name = "ID",
                       .about = "Number of the context, from `tbsctl contexts`",
                       .read = read_number(field(options, &CancelOptions::context)),
                       .required = true,
                       .offer = {Offer::Kind::Contexts}}},
          .needs = always(kObserver),
          .run = [options](const Environment& environment) {
            return run_cancel(*environment.daemon, environment.console, options->context);
          }};
}

}  // namespace tbs::ctl

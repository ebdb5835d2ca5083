#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/commands.h"

namespace tbs::ctl {
namespace {

Failure cancel_failure(std::uint64_t context, proto::Status status) {
  const std::string what = "cannot cancel context " + std::to_string(context);
  Failure failure = tbs_failure(what, status);
  if (status == proto::Status::InvalidContext) {
    failure.message = what + ": there is none with this number; `tbsctl contexts` lists them";
  } else if (status == proto::Status::AccessDenied) {
    failure.message = what + ": it belongs to another user; an administrator of tbsd can cancel it";
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

}  // namespace tbs::ctl

#include "client/tbsctl/text/failure.h"

#include "client/tbsctl/text/format.h"

namespace tbs::ctl {
namespace {

constexpr std::string_view kJournal = "`journalctl -t tbsd`";

Advice advice_for(proto::Status status) {
  switch (status) {
    case proto::Status::ServiceStartPending:
      return Advice::Wait;
    case proto::Status::IoError:
    case proto::Status::InternalError:
      return Advice::Health;
    case proto::Status::TooManyContexts:
    case proto::Status::TooManyResources:
      return Advice::Contexts;
    case proto::Status::TpmNotFound:
      return Advice::Tpm;
    case proto::Status::AccessDenied:
      return Advice::Rights;
    default:
      return Advice::None;
  }
}

// Where to look: a subcommand, unless it is the one that failed, and the journal.
std::string look_at(std::string_view advised, std::string_view failed) {
  if (advised == failed) return "see " + std::string(kJournal);
  return "see `tbsctl " + std::string(advised) + "` and " + std::string(kJournal);
}

}  // namespace

Failure tbs_failure(std::string_view what, proto::Status status) {
  return {.exit = Exit::Tbs,
          .message = std::string(what) + ": " + std::string(proto::status_text(status)) + " (" +
                     std::string(proto::status_name(status)) + ", " +
                     hex32(static_cast<std::uint32_t>(status)) + ")",
          .advice = advice_for(status)};
}

std::string advice_text(Advice advice, std::string_view subcommand) {
  switch (advice) {
    case Advice::None:
      break;
    case Advice::Wait:
      return "; wait a moment, or " + look_at("status", subcommand);
    case Advice::Health:
      return "; " + look_at("status", subcommand);
    case Advice::Contexts:
      if (subcommand == "contexts") return "; `tbsctl limits` shows how much may be used";
      return "; `tbsctl contexts` shows who holds what";
    case Advice::Rights:
      return "; that takes an administrator, on the administrators' socket: /run/tbs/admin.sock, "
             "which is taken when no other is named";
    case Advice::Tpm:
      if (subcommand == "info") return "; " + look_at("status", subcommand);
      return "; `tbsctl info` shows the TPM there is";
  }
  return "";
}

}  // namespace tbs::ctl

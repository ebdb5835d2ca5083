#include "client/tbsctl/log/daemon_log.h"

#include "client/read_event_log.h"
#include "client/tbsctl/pcr/read_pcrs.h"

namespace tbs::ctl {

std::expected<proto::Buffer, Failure> log_of_daemon(Conversation& daemon) {
  const auto deadline = Conversation::deadline_for(Patience::Answer);
  proto::Buffer log;
  for (bool more = true; more;) {
    const auto part = daemon.ask(proto::ReadLog{.offset = log.size()}, deadline);
    if (!part) return std::unexpected(part.error());
    if (part->status != proto::Status::Success) {
      return std::unexpected(tbs_failure("cannot get the event log", part->status));
    }
    more = part->more != 0 && !part->bytes.empty();
    log.insert(log.end(), part->bytes.begin(), part->bytes.end());
    if (log.size() > client::kMostLog) {
      return std::unexpected(
          Failure{.exit = Exit::Failed, .message = "tbsd sends an event log without end"});
    }
  }
  return log;
}

std::expected<std::vector<PcrValue>, Failure> all_pcrs(Conversation& daemon) {
  const auto banks = tpm_banks(daemon);
  if (!banks) return std::unexpected(banks.error());
  return read_pcrs(daemon, *banks);
}

}  // namespace tbs::ctl

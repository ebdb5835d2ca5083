#include "daemon/restart/outcome.h"

#include "daemon/base/fingerprint.h"

namespace tbs::restart {
namespace {

enum class Kind : std::uint8_t { Transmit = 1, Pause = 2, Done = 3 };

}  // namespace

void note(const exec::Step& step, RecordWriter& record) {
  if (const auto* const sent = std::get_if<exec::Transmit>(&step)) {
    record(Kind::Transmit, fingerprint(sent->command), sent->locality, sent->client_command);
  } else if (const auto* const pause = std::get_if<exec::Pause>(&step)) {
    record(Kind::Pause, pause->duration);
  } else {
    const auto& done = std::get<exec::Done>(step);
    record(Kind::Done, done.status, fingerprint(done.response));
    if (done.later != exec::Later::No) record(done.later);
  }
}

void note(proto::Status status, RecordWriter& record) {
  record(status);
}

void note(const std::unique_ptr<exec::Execution>& made, RecordWriter& record) {
  record(made != nullptr);
}

}  // namespace tbs::restart

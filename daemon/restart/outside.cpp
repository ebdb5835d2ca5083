#include "daemon/restart/outside.h"

#include <utility>

namespace tbs::restart {

template <typename Answer, typename Ask>
Answer Outside::answer(Asked asked, const Ask& ask) {
  if (replayed_ != nullptr) {
    Asked found{};
    Answer given{};
    (*replayed_)(found);
    if (found != asked) replayed_->fail("the engine asks for something else than before");
    (*replayed_)(given);
    return given;
  }
  Answer given = ask();
  if (recorded_ != nullptr) (*recorded_)(asked, given);
  return given;
}

TimePoint Outside::steady() {
  if (steady_) return *steady_;
  const auto now = answer<TimePoint>(Asked::Steady, clocks_.steady);
  if (recorded_ != nullptr || replayed_ != nullptr) steady_ = now;
  return now;
}

MachineTime Outside::machine() {
  if (machine_) return *machine_;
  const auto now = answer<MachineTime>(Asked::Machine, clocks_.machine);
  if (recorded_ != nullptr || replayed_ != nullptr) machine_ = now;
  return now;
}

std::optional<proto::Buffer> Outside::judge(const ClientCommand& command) {
  return answer<std::optional<proto::Buffer>>(
      Asked::Verdict, [&] { return judge_ == nullptr ? std::nullopt : judge_->judge(command); });
}

void Outside::record(RecordWriter& answers) {
  recorded_ = &answers;
}

void Outside::replay(RecordReader& answers) {
  replayed_ = &answers;
}

void Outside::end() {
  recorded_ = nullptr;
  replayed_ = nullptr;
  steady_.reset();
  machine_.reset();
}

}  // namespace tbs::restart

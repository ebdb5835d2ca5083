#include "tests/support/restarting_engine.h"

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "daemon/base/fingerprint.h"
#include "daemon/restart/outcome.h"

namespace tbs::test {
namespace {

using proto::Buffer;

// A test and a fuzzer notice it alike.
void require(bool condition, const char* what, std::uint64_t input) {
  if (condition) return;
  std::fprintf(stderr, "after a restart, at input %llu: %s\n",
               static_cast<unsigned long long>(input), what);
  std::abort();
}

Buffer state_of(Life& life) {
  Buffer bytes;
  RecordWriter record(bytes);
  life.state().save(record);
  return bytes;
}

template <typename Outcome>
Buffer noted(const Outcome& outcome) {
  Buffer bytes;
  RecordWriter record(bytes);
  restart::note(outcome, record);
  return bytes;
}

Restarts from_environment() {
  const char* const set = std::getenv("TBS_TEST_RESTARTS");
  const std::string_view when = set == nullptr ? "" : set;
  if (when == "every") return {.when = Restarts::When::Every};
  if (when == "some") return {.when = Restarts::When::Some};
  return {};
}

std::uint64_t mixed(std::uint64_t seed, std::uint64_t input) {
  Buffer bytes;
  RecordWriter record(bytes);
  record(seed, input);
  return fingerprint(bytes);
}

}  // namespace

bool Restarts::dies(std::uint64_t input) const {
  switch (when) {
    case When::Never:
      return false;
    case When::Every:
      return true;
    case When::Once:
      return input == at;
    case When::Some:
      return mixed(seed, input) % 8 == 0;
  }
  return false;
}

Restarts& next_restarts() {
  static Restarts restarts = from_environment();
  return restarts;
}

std::optional<Restarts>& fixed_restarts() {
  static std::optional<Restarts> fixed;
  return fixed;
}

void choose_restarts(proto::Bytes input) {
  using When = Restarts::When;
  const std::uint64_t number = fingerprint(input);
  const When when = number % 4 == 0 ? When::Never : number % 4 == 1 ? When::Every : When::Some;
  const Restarts chosen{.when = when, .seed = number, .snapshot_every = 1 + number / 4 % 64};
  next_restarts() = fixed_restarts().value_or(chosen);
}

std::uint64_t& inputs_told() {
  static std::uint64_t inputs = 0;
  return inputs;
}

// One execution of both, of which that of the mortal is another one after each death.
class RestartingEngine::Twins final : public exec::Execution {
 public:
  Twins(RestartingEngine& engine, std::unique_ptr<exec::Execution> twin,
        std::unique_ptr<exec::Execution> mortal, SharedCommand command)
      : engine_(engine),
        twin_(std::move(twin)),
        mortal_(std::move(mortal)),
        command_(std::move(command)) {
    engine_.live_ = this;
  }
  ~Twins() override {
    if (twin_ == nullptr) return;
    engine_.begin();
    leave();
    engine_.end();
  }
  Twins(const Twins&) = delete;
  Twins& operator=(const Twins&) = delete;

  exec::Step start() override {
    return step([](exec::Execution& one) { return one.start(); });
  }
  exec::Step on_response(proto::Bytes response) override {
    return step([response](exec::Execution& one) { return one.on_response(response); });
  }
  exec::Step on_pause_over() override {
    return step([](exec::Execution& one) { return one.on_pause_over(); });
  }
  void withdraw() override {
    both([](exec::Execution& one) { one.withdraw(); });
    withdrawn_ = true;
  }
  void detach() override {
    both([](exec::Execution& one) { one.detach(); });
    withdrawn_ = detached_ = true;
  }

  void die() { mortal_.reset(); }
  // What the next life has found.
  void go_on(restart::Live live, std::uint64_t input) {
    mortal_ = std::move(live.execution);
    require(live.step.has_value() == last_.has_value(), "it was not started", input);
    require(!last_ || noted(*live.step) == noted(*last_), "the last step is another", input);
    require(live.withdrawn == withdrawn_ && live.detached == detached_,
            "it is not known whether anybody waits for it", input);
    require((live.command != nullptr) == (command_ != nullptr), "whose command is it?", input);
    require(!command_ || std::ranges::equal(live.command->bytes(), command_->bytes()),
            "it is another command", input);
  }

 private:
  template <typename Tell>
  exec::Step step(const Tell& tell) {
    engine_.begin();
    exec::Step made = tell(*twin_);
    if (mortal_ != nullptr) {
      require(noted(tell(*mortal_)) == noted(made), "the step is another", engine_.inputs_);
    }
    last_ = made;
    if (std::holds_alternative<exec::Done>(made)) leave();
    engine_.end();
    return made;
  }
  template <typename Tell>
  void both(const Tell& tell) {
    if (twin_ == nullptr) return;
    engine_.begin();
    tell(*twin_);
    if (mortal_ != nullptr) tell(*mortal_);
    engine_.end();
  }
  void leave() {
    twin_.reset();
    mortal_.reset();
    if (engine_.live_ == this) engine_.live_ = nullptr;
  }

  RestartingEngine& engine_;
  std::unique_ptr<exec::Execution> twin_;
  std::unique_ptr<exec::Execution> mortal_;
  SharedCommand command_;
  std::optional<exec::Step> last_;
  bool withdrawn_ = false;
  bool detached_ = false;
};

void RestartingEngine::Mortal::append(const restart::Input& input) {
  kept.inputs.push_back({.kind = input.kind, .bytes = {input.bytes.begin(), input.bytes.end()}});
}

RestartingEngine::RestartingEngine(Make make)
    : make_(std::move(make)), restarts_(next_restarts()), twin_(make_()) {
  if (restarts_.when == Restarts::When::Never) return;
  mortal_ = std::make_unique<Mortal>(make_());
  mortal_->engine.want_snapshot();
  mortal_->kept = *mortal_->engine.take_snapshot();
  mortal_->engine.record_to(mortal_.get());
}

RestartingEngine::~RestartingEngine() = default;

void RestartingEngine::begin() {
  ++inputs_;
  inputs_told() = inputs_;
  if (mortal_ != nullptr && restarts_.dies(inputs_)) die();
}

void RestartingEngine::end() {
  if (mortal_ == nullptr) return;
  require(mortal_->life->take_told() == twin_->take_told(), "observers hear something else",
          inputs_);
  if (inputs_ % 4 == 0 || live_ == nullptr) {
    require(state_of(*mortal_->life) == state_of(*twin_), "the state is another", inputs_);
  }
  if (inputs_ % restarts_.snapshot_every == 0) mortal_->engine.want_snapshot();
  if (auto snapshot = mortal_->engine.take_snapshot()) mortal_->kept = *std::move(snapshot);
}

void RestartingEngine::die() {
  mortal_->engine.record_to(nullptr);
  if (live_ != nullptr) live_->die();
  const restart::Snapshot kept = std::move(mortal_->kept);
  mortal_.reset();
  mortal_ = std::make_unique<Mortal>(make_());
  std::vector<restart::Input> inputs;
  for (const auto& entry : kept.inputs) {
    inputs.push_back({.kind = entry.kind, .bytes = entry.bytes});
  }
  auto live = mortal_->engine.recover(kept.state, inputs);
  if (!live) std::fprintf(stderr, "%s\n", live.error().c_str());
  require(live.has_value(), "it cannot go on", inputs_);
  mortal_->kept = kept;
  mortal_->engine.record_to(mortal_.get());
  static_cast<void>(mortal_->life->take_told());
  require(state_of(*mortal_->life) == state_of(*twin_), "the state is another", inputs_);
  go_on(*std::move(live));
}

void RestartingEngine::go_on(std::optional<restart::Live> live) {
  require(live.has_value() == (live_ != nullptr), "something else is under way", inputs_);
  if (live_ != nullptr) live_->go_on(*std::move(live), inputs_);
}

template <typename Tell>
auto RestartingEngine::tell(const Tell& tell) {
  using Result = decltype(tell(static_cast<exec::Engine&>(*this)));
  begin();
  if constexpr (std::is_void_v<Result>) {
    tell(twin_->engine());
    if (mortal_ != nullptr) tell(static_cast<exec::Engine&>(mortal_->engine));
    end();
  } else {
    Result result = tell(twin_->engine());
    if (mortal_ != nullptr) {
      require(tell(static_cast<exec::Engine&>(mortal_->engine)) == result, "the answer is another",
              inputs_);
    }
    end();
    return result;
  }
}

template <typename Tell>
std::unique_ptr<exec::Execution> RestartingEngine::make(const Tell& tell, SharedCommand command) {
  begin();
  auto twin = tell(twin_->engine());
  std::unique_ptr<exec::Execution> mortal;
  if (mortal_ != nullptr) {
    mortal = tell(static_cast<exec::Engine&>(mortal_->engine));
    require((mortal == nullptr) == (twin == nullptr), "there is something else to do", inputs_);
  }
  std::unique_ptr<exec::Execution> made;
  if (twin != nullptr) {
    made = std::make_unique<Twins>(*this, std::move(twin), std::move(mortal), std::move(command));
  }
  end();
  return made;
}

void RestartingEngine::open_context(ContextId context, const Principal& principal) {
  tell([&](exec::Engine& engine) { engine.open_context(context, principal); });
}

void RestartingEngine::skip_handles(ContextId context, std::uint32_t earlier) {
  tell([&](exec::Engine& engine) { engine.skip_handles(context, earlier); });
}

void RestartingEngine::inherit(ContextId heir, ContextId from) {
  tell([&](exec::Engine& engine) { engine.inherit(heir, from); });
}

void RestartingEngine::close_context(ContextId context) {
  tell([&](exec::Engine& engine) { engine.close_context(context); });
}

std::unique_ptr<exec::Execution> RestartingEngine::execute(SharedCommand command) {
  return make([&](exec::Engine& engine) { return engine.execute(command); }, command);
}

std::size_t RestartingEngine::loads_needed(const ClientCommand& command) const {
  const std::size_t needed = twin_->engine().loads_needed(command);
  require(mortal().engine().loads_needed(command) == needed, "other loads are needed", inputs_);
  return needed;
}

proto::Status RestartingEngine::make_sticky(ContextId context, std::uint32_t handle, bool sticky) {
  return tell([&](exec::Engine& engine) { return engine.make_sticky(context, handle, sticky); });
}

std::vector<proto::HoldingEntry> RestartingEngine::held_by(ContextId context,
                                                           std::size_t most) const {
  return mortal().engine().held_by(context, most);
}

exec::Usage RestartingEngine::usage() const {
  return mortal().engine().usage();
}

exec::AccountUsage RestartingEngine::usage_of(AccountId account) const {
  return mortal().engine().usage_of(account);
}

std::unique_ptr<exec::Execution> RestartingEngine::housekeeping() {
  return make([](exec::Engine& engine) { return engine.housekeeping(); });
}

std::unique_ptr<exec::Execution> RestartingEngine::idle_housekeeping() {
  return make([](exec::Engine& engine) { return engine.idle_housekeeping(); });
}

std::optional<TimePoint> RestartingEngine::next_maintenance() const {
  const auto next = twin_->engine().next_maintenance();
  require(mortal().engine().next_maintenance() == next, "the time of work is another", inputs_);
  return next;
}

std::unique_ptr<exec::Execution> RestartingEngine::evict_all() {
  return make([](exec::Engine& engine) { return engine.evict_all(); });
}

std::unique_ptr<exec::Execution> RestartingEngine::bring_up() {
  return make([](exec::Engine& engine) { return engine.bring_up(); });
}

std::unique_ptr<exec::Execution> RestartingEngine::shutdown(bool owns_power) {
  return make([&](exec::Engine& engine) { return engine.shutdown(owns_power); });
}

void RestartingEngine::device_lost() {
  tell([](exec::Engine& engine) { engine.device_lost(); });
}

void RestartingEngine::apply(const restart::Setting& setting) {
  begin();
  twin_->state().apply(setting);
  if (mortal_ != nullptr) mortal_->engine.apply(setting);
  end();
}

}  // namespace tbs::test

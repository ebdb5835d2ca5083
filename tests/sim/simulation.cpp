#include "tests/sim/simulation.h"

#include <algorithm>
#include <malloc.h>
#include <utility>

#include "daemon/policy/lockout_guard.h"
#include "proto/message_codec.h"
#include "proto/rules/rule_files.h"
#include "proto/tpm/constants.h"
#include "proto/tpm_header.h"
#include "tests/sim/daemon.h"

namespace tbs::sim {
namespace {

// Longer than what is left of closed contexts is kept.
constexpr Time kUntilNothingIsLeft = 40 * kMinute;
constexpr Time kCheckPause = 10 * kSecond;
// How long clients may notice that the device had failed.
constexpr Time kAftermath = 30 * kSecond;
// Nothing that a turn of the loop may do takes as long.
constexpr Time kLongestTurn = 5 * kMillisecond;
// Of the process: the daemon, the users and the simulation.
constexpr std::size_t kMostMemory = std::size_t{24} << 20;
constexpr std::uint32_t kAdministrator = 0;

// What tells a command from all others. Of a signature it is what is signed, since its key has
// another handle here; a key is made from something random.
std::uint64_t tag_of(std::span<const std::uint8_t> command, std::uint32_t code) {
  if (code == tpm::cc::kCreatePrimary) return digest_of(0, command);
  std::uint64_t tag = 0;
  for (const std::uint8_t byte : command.last(8)) tag = tag << 8 | byte;
  return tag;
}

// The daemon sends none of these for itself.
bool is_clients(std::uint32_t code) {
  namespace cc = tpm::cc;
  return code == cc::kSign || code == cc::kCreatePrimary || code == cc::kSequenceUpdate ||
         code == cc::kSequenceComplete || code == cc::kHashSequenceStart ||
         code == cc::kStartAuthSession || code == cc::kPcrExtend || code == cc::kPcrRead ||
         code == cc::kGetRandom || code == TPM2_CC_PolicyCommandCode ||
         code == TPM2_CC_PolicyGetDigest;
}

}  // namespace

Simulation::Simulation(const Plan& plan, bool verbose)
    : world(plan.seed),
      plan_(plan),
      kernel_(world),
      tpm_(tpm_options()),
      chip_(
          kernel_, plan.chip, [this](auto command) { return tpm_.run(command); },
          [this] { tpm_.reset(); }),
      store_(std::make_unique<Store>()) {
  world.verbose = verbose;
  kernel_.open_node = [this] { return chip_.open(); };
  kernel_.stuck = [this] {
    world.broken("no-hang", "nothing is going to happen any more");
    over_ = true;
    if (daemon_) daemon_->end();
  };
  chip_.troubled = [this](Trouble trouble) { note_trouble(trouble); };
  chip_.begins = [this](auto command, Time took) { on_begin(command, took); };
  current_kernel() = &kernel_;
}

Simulation::~Simulation() {
  users_.clear();
  kernel_.kill();
  daemon_.reset();
  store_->files.clear();
  current_kernel() = nullptr;
}

ModelTpm::Options Simulation::tpm_options() {
  return {.secret = plan_.seed, .context_gap = plan_.small_gap ? 255U : 0xFFFFU, .clock = [this] {
            return world.now() / kSecond;
          }};
}

void Simulation::on_begin(std::span<const std::uint8_t> command, Time took) {
  // By the next command at the latest the daemon has noticed.
  if (std::exchange(unnoticed_, false)) last_trouble_ = world.now();
  const auto header = proto::read_tpm_header(command);
  if (!header || !is_clients(header->code)) return;
  ++board.begun;
  if (header->code != tpm::cc::kSign && header->code != tpm::cc::kCreatePrimary) return;
  const std::uint64_t tag = tag_of(command, header->code);
  const auto asked = board.asked.find(tag);
  if (asked == board.asked.end()) return;
  fairness_.count(asked->second, took);
  board.high_begun[tag] = board.begun;
}

bool Simulation::troubled_since(Time moment) const {
  return unnoticed_ || (last_trouble_ != 0 && last_trouble_ + kAftermath >= moment);
}

void Simulation::connect(SharedFile socket, server::SharedProfile profile) {
  world.after(world.random.between(20, 200) * kMicrosecond,
              [this, socket = std::move(socket), profile = std::move(profile)]() mutable {
                if (daemon_ == nullptr || kernel_.dead()) {
                  backlog_.emplace_back(std::move(socket), std::move(profile));
                } else {
                  daemon_->accept(std::move(socket), std::move(profile));
                }
              });
}

void Simulation::begin_life() {
  kernel_.start();
  chip_.process_started();
  Config config;
  config.state_dir = "";
  config.share = plan_.share;
  config.check_tables = plan_.verify;
  config.event_log = "none";
  config.ppi = "none";
  static const rules::Rules rules = *rules::read_rules("/nonexistent");
  daemon_ = std::make_unique<Tbsd>(
      kernel_, *store_,
      Tbsd::Options{.config = config, .rules = rules, .slow_store = plan_.slow_store});
  daemon_->start();
  for (auto& [socket, profile] : std::exchange(backlog_, {})) {
    daemon_->accept(std::move(socket), std::move(profile));
  }
}

// At an instant, or at one of the next calls that the daemon makes.
void Simulation::plan_restart() {
  const Time length = plan_.length;
  for (std::uint64_t i = 0; i < plan_.restarts; ++i) {
    Random random = Random(plan_.seed).fork(0x5E5 + i);
    const Time when = world.now() + length * random.between(5, 990) / 1000;
    const std::uint64_t how = random.below(8);
    const std::uint64_t calls = how == 0 ? 1 : random.between(1, how < 4 ? 30 : 400);
    world.at(when, [this, how, calls] {
      if (daemon_ == nullptr || kernel_.dead() || ending_) return;
      if (how == 7) {
        daemon_->leave();
      } else {
        daemon_->kill_after(calls);
        if (how == 0) kernel_.kill();
      }
    });
  }
}

Outcome Simulation::run() {
  const Time begun = world.now();
  for (const UserPlan& user : plan_.users) {
    users_.push_back(make_user(*this, user));
    users_.back()->begin();
  }
  plan_restart();
  world.after(plan_.length / 3, [this] {
    contest_ = true;
    std::map<std::uint32_t, Time> busy;
    for (const UserPlan& user : plan_.users) {
      if (user.kind == Kind::Busy) busy[user.uid] = 0;
    }
    world.after(40 * kSecond, [this, busy] {
      // Who was disconnected is not back at once.
      const bool all = last_trouble_ == 0 || last_trouble_ + kMinute < world.now();
      if (contest_ && all) fairness_.begin(busy, world.now());
    });
    world.after(130 * kSecond, [this] {
      contest_ = false;
      fairness_.end();
    });
  });
  world.after(plan_.length, [this] { end_run(); });
  world.after(kCheckPause, [this] { check_often(); });
  while (!over_ && !world.failed()) {
    begin_life();
    daemon_->run();
    if (over_ || world.failed()) break;
    ++restarts_;
    const bool differs = daemon_->differences() > 0;
    daemon_.reset();
    last_restart_ = world.now();
    if (differs) world.broken("tables", "they differ from what the TPM lists");
    kernel_.block_until(world.now() + world.random.between(1, 400) * kMillisecond);
    last_restart_ = world.now();
  }
  if (daemon_ && daemon_->differences() > 0) {
    world.broken("tables", "they differ from what the TPM lists");
  }
  return {.invariant = world.invariant(),
          .how = world.how(),
          .when = world.when() > begun ? world.when() - begun : 0,
          .digest = world.digest(),
          .simulated = world.now() - begun,
          .connected = connected,
          .commands = commands_,
          .restarts = restarts_};
}

void Simulation::note_trouble(Trouble trouble) {
  last_trouble_ = world.now();
  // Not all of them are at work any more.
  fairness_.end();
  switch (trouble) {
    case Trouble::Failed:
      return losses.allow(Losses::kOfResponse);
    // A process that has taken the node over looks for the response for half a minute, since the
    // command may not have begun, and so does the one after it.
    case Trouble::Lost:
      unnoticed_ = true;
      [[fallthrough]];
    // The daemon opens the device anew.
    case Trouble::Gone:
      return losses.allow(Losses::kOfDevice);
    case Trouble::Reset:
      return losses.note_reset(world.now());
    case Trouble::Back:
      break;
  }
}

void Simulation::check_often() {
  for (const auto& user : users_) user->check_waits();
  const auto unfair = fairness_.look(world.now());
  if (unfair) world.broken("fairness", *unfair);
  if (kernel_.longest_turn() > kLongestTurn && last_restart_ + 2 * kCheckPause < world.now()) {
    world.broken("loop-turn", "a turn of the loop took " +
                                  std::to_string(kernel_.longest_turn() / kMicrosecond) + " us");
  }
  kernel_.forget_turns();
  check_memory();
  check_failures();
  if (world.failed() && daemon_) daemon_->end();
  if (!over_) world.after(kCheckPause, [this] { check_often(); });
}

void Simulation::check_memory() {
  if (mallinfo2().uordblks > kMostMemory) {
    world.broken("memory", std::to_string(mallinfo2().uordblks >> 10) + " KiB are in use");
  }
}

// As often as the guard allows each user and all of them, as it is configured by default.
void Simulation::check_failures() {
  const policy::LockoutLimits limits;
  if (tpm_.failures() > limits.total) {
    world.broken("lockout-guard", "the TPM has counted too many failures");
  }
  for (const auto& [uid, failures] : board.failures) {
    if (failures <= limits.per_user) continue;
    world.broken("lockout-guard",
                 "a user has failed " + std::to_string(failures) + " times and could go on");
  }
}

void Simulation::end_run() {
  ending_ = true;
  contest_ = false;
  fairness_.end();
  chip_.stop_failing();
  for (const auto& user : users_) user->leave();
  world.after(5 * kMinute, [this] {
    for (const auto& user : users_) user->check_end();
  });
  world.after(kUntilNothingIsLeft, [this] { check_nothing_left(); });
}

// What is accounted for, on both sides.
void Simulation::check_nothing_left() {
  if (tpm_.objects() + tpm_.sessions() > 0) {
    world.broken("returns-to-zero", std::to_string(tpm_.objects()) + " objects and " +
                                        std::to_string(tpm_.sessions()) +
                                        " sessions are left on the TPM");
  }
  if (tpm_.nv_indices() > 0) {
    world.broken("returns-to-zero", std::to_string(tpm_.nv_indices()) + " NV indices are left");
  }
  if (tpm_.extended() < board.extended || tpm_.extended() > board.extended + board.maybe_extended) {
    world.broken("answered-once", "a PCR was extended " + std::to_string(tpm_.extended()) +
                                      " times, by " + std::to_string(board.extended) +
                                      " commands and perhaps " +
                                      std::to_string(board.maybe_extended) + " more");
  }
  // Who is killed at the administrator's hello would not keep that.
  if (daemon_ != nullptr) daemon_->kill_after(0);
  observer_ = std::make_shared<Link>(
      *this, next_link(),
      Link::Events{
          .frame =
              [this](const proto::Frame& frame) {
                if (frame.type == proto::Type::HelloReply) {
                  return observer_->send(2, proto::ListLimits{});
                }
                if (frame.type != proto::Type::LimitList) return;
                const auto list = proto::decode<proto::LimitList>(frame.payload);
                if (!list) return world.broken("returns-to-zero", "no list of limits");
                for (const proto::LimitEntry& entry : list->entries) {
                  if (entry.used == 0) continue;
                  world.broken("returns-to-zero",
                               entry.name + ": " + std::to_string(entry.used) + " are in use");
                }
                over_ = true;
                daemon_->end();
              },
          .closed = [this] { world.broken("open-to-honest", "an administrator was refused"); }});
  observer_->connect(kAdministrator, server::administrators_profile());
  observer_->send(1, proto::Hello{.role = proto::Role::Observer});
  world.after(kMinute, [this] {
    if (over_) return;
    world.broken("no-hang", "an administrator was not answered");
    daemon_->end();
  });
}

}  // namespace tbs::sim

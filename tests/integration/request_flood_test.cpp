// One user's connections ask for whatever costs no TPM time, as fast as the daemon takes it, and
// some never read what they are told: others are served meanwhile, new ones come in, an
// administrator is answered, and the memory stays bounded.

#include <string>
#include <vector>

#include <sys/resource.h>

#include "proto/tpm/commands.h"
#include "tests/integration/support/user_clients.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Buffer;
using tbs::proto::Role;
using tbs::proto::Status;
namespace proto = tbs::proto;

namespace {

constexpr uid_t kFlooder = 20001;
constexpr uid_t kVictim = 20002;
constexpr uid_t kNewcomer = 20003;
constexpr int kContexts = 96;
constexpr int kObservers = 32;
constexpr int kRounds = 60;
constexpr std::size_t kFramesLength = 32768;

template <typename Message>
Buffer repeated(const Message& message) {
  Buffer frames;
  for (std::uint64_t id = 10; frames.size() < kFramesLength; ++id) {
    const Buffer frame = frame_of(id, message);
    frames.insert(frames.end(), frame.begin(), frame.end());
  }
  return frames;
}

struct Flood {
  std::string name;
  Buffer frames;
  bool needs_context = false;
};

std::vector<Flood> floods() {
  const Buffer blocked = tpm::clear();
  const Buffer known = tpm::get_property(TPM2_PT_FAMILY_INDICATOR);
  return {{"list-limits", repeated(proto::ListLimits{})},
          {"list-contexts", repeated(proto::ListContexts{})},
          {"list-activity", repeated(proto::ListActivity{})},
          {"daemon-status", repeated(proto::DaemonStatus{})},
          {"device-info", repeated(proto::DeviceInfo{})},
          {"lockout-status", repeated(proto::LockoutStatus{})},
          {"lockout-reset", repeated(proto::LockoutReset{})},
          {"cancel-context", repeated(proto::CancelContext{.context = 1})},
          {"read-log", repeated(proto::ReadLog{})},
          {"cancel", repeated(proto::Cancel{}), true},
          {"make-sticky", repeated(proto::MakeSticky{.handle = TPM2_TRANSIENT_FIRST, .sticky = 1}),
           true},
          {"submit, blocked", repeated(proto::Submit{.command = blocked}), true},
          {"submit, ignored",
           repeated(proto::Submit{.command = tbs::tpm::build::startup(TPM2_SU_CLEAR)}), true},
          {"submit, from memory", repeated(proto::Submit{.command = known}), true}};
}

class Flooders {
 public:
  Flooders(TestBench& bench, const Flood& flood) : frames_(flood.frames) {
    const ConnectingAs other(kFlooder);
    const int observers = flood.needs_context ? 0 : kObservers;
    for (int i = 0; i < kContexts + observers; ++i) {
      const auto make = i < kContexts ? &RawClient::context : &RawClient::observer;
      flooders_.push_back({.client = make(bench.everybodys_socket())});
    }
  }

  void push() {
    for (Flooder& flooder : flooders_) {
      const proto::Bytes rest = proto::Bytes(frames_).subspan(flooder.at);
      flooder.at = (flooder.at + flooder.client.send_some(rest)) % frames_.size();
    }
  }

 private:
  struct Flooder {
    RawClient client;
    std::size_t at = 0;
  };

  Buffer frames_;
  std::vector<Flooder> flooders_;
};

std::uint64_t most_waiting(RawClient& observer) {
  const auto list = observer.ask(proto::ListLimits{});
  for (const auto& entry : list.entries) {
    if (entry.name == "max-backlog-per-user") return entry.used;
  }
  return 0;
}

}  // namespace

TEST_CASE("whatever one user asks for without end, others are served") {
  if (!can_become_nobody()) return;
  for (const Flood& flood : floods()) {
    DYNAMIC_SECTION(flood.name) {
      TestBench bench;
      RawClient administrator = RawClient::observer(bench.socket());
      RawClient victim = context_of(bench, kVictim);
      const pid_t daemon = bench.daemon().program().pid();
      const std::size_t before = resident_bytes(daemon);
      Flooders flooders(bench, flood);
      for (int round = 0; round < kRounds; ++round) {
        flooders.push();
        CHECK(victim.call(tpm::get_random(8)).status == Status::Success);
        if (round % 10 != 0) continue;
        CHECK(administrator.ask(proto::DaemonStatus{}).device_state == proto::DeviceState::Ready);
        const ConnectingAs other(kNewcomer);
        CHECK(RawClient(bench.everybodys_socket()).hello(Role::Context).status == Status::Success);
      }
      // Nobody has read a word: it is all counted, and held up at the limit.
      CHECK(most_waiting(administrator) <= 4096 + 1024);
      if (!sanitized()) CHECK(resident_bytes(daemon) < before + (std::size_t{32} << 20));
    }
  }
}

TEST_CASE("answers that nobody reads count for their user") {
  if (!can_become_nobody()) return;
  TestBench bench;
  RawClient administrator = RawClient::observer(bench.socket());
  Flooders flooders(bench, floods().front());
  CHECK(eventually([&] {
    flooders.push();
    return most_waiting(administrator) > 1024;
  }));
}

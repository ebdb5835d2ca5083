// Sequences in the course of time: housekeeping that starts, gives way at each of its steps to a
// command, and goes on later. Whatever the order, no update is lost: digests and HMACs are those
// that OpenSSL computes.

#include <functional>
#include <string>

#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "tests/rm/fixture.h"
#include "tests/rm/response_fields.h"
#include "tests/support/catch2.h"
#include "tests/support/client_commands.h"
#include "tests/support/digest.h"

using namespace tbs;
using namespace tbs::test;

namespace {

using Bytes = command::Bytes;

// Three steps around each of the slots, and one more than there are.
constexpr std::size_t kMostSteps = 8;

const Bytes kKey(20, 0x4B);

// One client, with a sequence whose message is remembered.
class Sequencer {
 public:
  enum class Kind { Hash, Hmac };

  Sequencer(RealTpm& tpm, Kind kind) : tpm_(tpm), kind_(kind), client_(tpm.connect()) {
    if (kind == Kind::Hash) {
      sequence_ = made(command::start_hash());
      return;
    }
    const std::uint32_t key = made(command::load_hmac_key(kKey));
    sequence_ = made(command::start_hmac(key));
    send(tpm::build::flush_context(key));
  }

  void update() {
    const Bytes bytes(1 + message_.size() % 7, static_cast<std::uint8_t>(message_.size()));
    REQUIRE(code_of(send(command::update(sequence_, bytes))) == 0);
    message_.insert(message_.end(), bytes.begin(), bytes.end());
  }

  void check_and_end() {
    const Bytes response = send(command::complete(sequence_));
    REQUIRE(code_of(response) == 0);
    CHECK(digest_in(response) ==
          (kind_ == Kind::Hash ? sha256(message_) : hmac_sha256(kKey, message_)));
  }

  Bytes send(const Bytes& command) { return tpm_.bench.submit(client_->id, command); }
  [[nodiscard]] ContextId context() const { return client_->id; }
  [[nodiscard]] std::uint32_t handle() const { return sequence_; }
  [[nodiscard]] const Bytes& message() const { return message_; }

  std::uint32_t made(const Bytes& command) {
    const Bytes response = send(command);
    REQUIRE(code_of(response) == 0);
    return handle_in(response);
  }

 private:
  RealTpm& tpm_;
  Kind kind_;
  std::unique_ptr<RealTpm::Client> client_;
  std::uint32_t sequence_ = 0;
  Bytes message_;
};

// A command that comes in between, to a client that has a sequence.
struct Between {
  const char* name;
  std::function<void(RealTpm&, Sequencer&)> run;
};

const Between kBetween[] = {
    {"an update", [](RealTpm&, Sequencer& one) { one.update(); }},
    {"several updates",
     [](RealTpm&, Sequencer& one) {
       for (int i = 0; i < 5; ++i) one.update();
     }},
    {"an update that the TPM refuses",
     [](RealTpm&, Sequencer& one) {
       REQUIRE(code_of(one.send(command::update_unauthorized(one.handle(), 1))) != 0);
     }},
    {"a completion that the TPM refuses",
     [](RealTpm&, Sequencer& one) {
       REQUIRE(code_of(one.send(command::complete_event(one.handle()))) != 0);
       one.update();
     }},
    {"the client's own ContextSave",
     [](RealTpm&, Sequencer& one) {
       REQUIRE(code_of(one.send(tpm::build::context_save(one.handle()))) == 0);
       one.update();
     }},
    {"the client's own ContextSave after an update",
     [](RealTpm&, Sequencer& one) {
       one.update();
       REQUIRE(code_of(one.send(tpm::build::context_save(one.handle()))) == 0);
     }},
    {"a key that takes a slot",
     [](RealTpm&, Sequencer& one) {
       one.made(command::create_primary(tpm::kRhOwner, 1));
       one.update();
     }},
    {"a command about nothing",
     [](RealTpm&, Sequencer& one) { REQUIRE(code_of(one.send(tpm::build::read_clock())) == 0); }},
    {"a mark that keeps it in the TPM",
     [](RealTpm& tpm, Sequencer& one) {
       one.update();
       tpm.bench.manager.make_sticky(one.context(), one.handle(), true);
       tpm.bench.run_idle(1);
       one.update();
       tpm.bench.manager.make_sticky(one.context(), one.handle(), false);
     }},
};

void go_through(exec::Share share, Sequencer::Kind kind) {
  exec::Options options = verified();
  options.share = share;
  RealTpm tpm(options);
  for (const Between& between : kBetween) {
    for (std::size_t first = 0; first < kMostSteps; ++first) {
      INFO(between.name << ", housekeeping gives way after " << first << " steps");
      Sequencer one(tpm, kind);
      Sequencer other(tpm, Sequencer::Kind::Hash);
      one.update();
      other.update();
      tpm.bench.run_idle(first);
      between.run(tpm, one);
      tpm.bench.run_idle(first);
      other.update();
      one.update();
      tpm.bench.run_idle();
      one.update();
      one.check_and_end();
      other.check_and_end();
      one.send(tpm::build::flush_context(tpm::kTransientFirst));
      tpm.bench.run_idle();
    }
  }
  CHECK(tpm.bench.notes.differences.empty());
  CHECK(tpm.bench.notes.older_states.empty());
  CHECK(tpm.bench.notes.lost_handles.empty());
}

}  // namespace

TEST_CASE("a hash sequence loses no update to housekeeping that is interrupted", "[rm][sequence]") {
  go_through(GENERATE(exec::Share::Idle, exec::Share::Strict), Sequencer::Kind::Hash);
}

TEST_CASE("nor does an HMAC sequence", "[rm][sequence]") {
  go_through(exec::Share::Idle, Sequencer::Kind::Hmac);
}

TEST_CASE("nor does an eviction that makes room for others", "[rm][sequence]") {
  RealTpm tpm;
  std::vector<std::unique_ptr<Sequencer>> all;
  for (int i = 0; i < 7; ++i) {
    all.push_back(std::make_unique<Sequencer>(
        tpm, i % 2 == 0 ? Sequencer::Kind::Hash : Sequencer::Kind::Hmac));
  }
  for (std::size_t round = 0; round < 60; ++round) {
    all[round * 5 % all.size()]->update();
    if (round % 3 != 0) tpm.bench.run_idle(round % kMostSteps);
    all[round * round % all.size()]->update();
  }
  for (const auto& one : all) one->check_and_end();
  CHECK(tpm.bench.notes.older_states.empty());
}

TEST_CASE("a sequence that was emptied before sleep goes on after it", "[rm][sequence]") {
  RealTpm tpm;
  Sequencer one(tpm, Sequencer::Kind::Hash);
  one.update();
  for (std::size_t steps = 1; steps < 4; ++steps) {
    if (const auto evict = tpm.bench.manager.evict_all()) tpm.bench.run(*evict, steps);
    one.update();
    if (const auto evict = tpm.bench.manager.evict_all()) tpm.bench.run(*evict);
    one.update();
  }
  one.check_and_end();
  CHECK(tpm.bench.notes.older_states.empty());
}

TEST_CASE("a sequence that was used since it was saved is lost with the TPM's memory",
          "[rm][sequence]") {
  RealTpm tpm;
  Sequencer one(tpm, Sequencer::Kind::Hash);
  Sequencer other(tpm, Sequencer::Kind::Hash);
  one.update();
  other.update();
  // The first step saves the sequence that was used longest ago.
  tpm.bench.run_idle(1);
  SECTION("when the command that uses it is answered") {
    one.update();
    tpm.bench.manager.device_lost();
  }
  SECTION("when the device fails while that command runs") {
    const auto execution = tpm.bench.execute(one.context(), command::update(one.handle(), 1));
    exec::Step step = execution->start();
    REQUIRE(std::holds_alternative<exec::Transmit>(step));
    tpm.chip.run(std::get<exec::Transmit>(step).command);
    tpm.bench.manager.device_lost();
  }
  tpm.bench.bring_up();
  // Better no answer than one from the older state.
  CHECK(code_of(one.send(command::update(one.handle(), 1))) != 0);
  CHECK(tpm.bench.notes.older_states.empty());
}

TEST_CASE("an update that is detached or repeated counts once in the TPM and once here",
          "[rm][sequence]") {
  RealTpm tpm;
  Sequencer one(tpm, Sequencer::Kind::Hash);
  one.update();
  const Bytes bytes{7, 7, 7};
  tpm.bench.run_idle(1);
  const auto execution = tpm.bench.execute(one.context(), command::update(one.handle(), bytes));
  exec::Step step = execution->start();
  for (bool detached = false; auto* transmit = std::get_if<exec::Transmit>(&step);) {
    const Bytes sent = transmit->command;
    if (transmit->client_command && !detached) {
      execution->detach();
      detached = true;
    }
    step = execution->on_response(tpm.chip.run(sent));
  }
  tpm.bench.run_idle();
  one.update();
  const Bytes response = one.send(command::complete(one.handle()));
  Bytes message = one.message();
  message.insert(message.begin() + 1, bytes.begin(), bytes.end());
  CHECK(digest_in(response) == sha256(message));
}

// What a daemon finds of the one before it: a state and the inputs after it, broken in any way. It
// is refused, and then nothing has changed; or it is taken, and then whatever it says leads to no
// harm.
//
// The first byte says what is broken: all of the state, some bytes of a good one, some bytes of
// good inputs, or all of the inputs.

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "daemon/restart/recorded_engine.h"
#include "proto/byte_reader.h"
#include "proto/tpm/command_builder.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "tests/fuzz/counting_tpm20.h"
#include "tests/fuzz/manager_game.h"
#include "tests/restart/engine_life.h"
#include "tests/support/client_command.h"

namespace {

using namespace tbs;
using fuzz::CountingTpm20;
using fuzz::require;
using proto::Buffer;
using proto::Bytes;
using restart::InputKind;
using Entries = std::vector<restart::Snapshot::Entry>;

constexpr ContextId kContext{1};

Buffer start_sequence() {
  return tpm::CommandBuilder(tpm::cc::kHashSequenceStart).u16(0).u16(TPM2_ALG_SHA256).finish();
}

// A life on a TPM that means well.
class Recorded final : private restart::InputLog {
 public:
  explicit Recorded(test::World& world) : life_(world) { engine_.record_to(this); }

  // To the end, or for so many steps.
  void run(std::unique_ptr<exec::Execution> execution, unsigned steps = 3000) {
    if (execution != nullptr) go_on(*execution, execution->start(), steps);
  }
  void go_on(exec::Execution& execution, exec::Step step, unsigned steps) {
    for (; steps != 0 && !std::holds_alternative<exec::Done>(step); --steps) {
      if (const auto* const sent = std::get_if<exec::Transmit>(&step)) {
        const Buffer command = sent->command;
        step = execution.on_response(tpm_.run(command, fuzz::Fate::Answered));
      } else {
        step = execution.on_pause_over();
      }
    }
  }
  void command(ContextId context, Buffer bytes, unsigned steps = 3000) {
    run(engine_.execute(test::client_command({.context = context, .bytes = std::move(bytes)})),
        steps);
  }
  void keep() {
    entries_.clear();
    engine_.want_snapshot();
    state_ = engine_.take_snapshot()->state;
  }
  [[nodiscard]] Buffer now() {
    Buffer bytes;
    RecordWriter record(bytes);
    life_.state().save(record);
    return bytes;
  }

  [[nodiscard]] restart::RecordedEngine& engine() { return engine_; }
  [[nodiscard]] const Buffer& state() const { return state_; }
  [[nodiscard]] const Entries& entries() const { return entries_; }

 private:
  void append(const restart::Input& input) override {
    entries_.push_back({.kind = input.kind, .bytes = {input.bytes.begin(), input.bytes.end()}});
  }

  CountingTpm20 tpm_;
  test::EngineLife life_;
  restart::RecordedEngine engine_{life_.engine(), life_.state(), life_.outside()};
  Buffer state_;
  Entries entries_;
};

struct Good {
  Buffer state;
  Entries entries;
};

// Some objects of two contexts, then more of that, and the last command is on the TPM.
Good make_good() {
  test::World world;
  Recorded one(world);
  one.run(one.engine().bring_up());
  one.engine().open_context(kContext, principal_of(UserId{1000}));
  one.engine().open_context(ContextId{2}, principal_of(UserId{1001}));
  for (int i = 0; i < 3; ++i) one.command(kContext, start_sequence());
  one.command(ContextId{2}, start_sequence());
  one.engine().make_sticky(ContextId{2}, tpm::kTransientFirst, true);
  one.keep();
  one.command(kContext, tpm::build::flush_context(tpm::kTransientFirst));
  one.run(one.engine().idle_housekeeping());
  one.engine().close_context(ContextId{2});
  one.run(one.engine().housekeeping());
  const auto execution =
      one.engine().execute(test::client_command({.context = kContext, .bytes = start_sequence()}));
  execution->start();
  return {.state = one.state(), .entries = one.entries()};
}

// Three bytes each: where, and what is there instead.
void patch(Buffer& bytes, proto::ByteReader& input) {
  while (input.remaining() >= 3 && !bytes.empty()) {
    const std::size_t at = input.le16() % bytes.size();
    bytes[at] = input.u8();
  }
}

void patch(Entries& entries, proto::ByteReader& input) {
  while (input.remaining() >= 4 && !entries.empty()) {
    auto& entry = entries[input.u8() % entries.size()];
    const std::size_t at = input.le16();
    const std::uint8_t value = input.u8();
    if (at == 0xFFFF) {
      entry.kind = static_cast<InputKind>(value % 20);
    } else if (!entry.bytes.empty()) {
      entry.bytes[at % entry.bytes.size()] = value;
    }
  }
}

Entries any_entries(proto::ByteReader& input) {
  Entries entries;
  while (input.remaining() != 0) {
    const auto kind = static_cast<InputKind>(input.u8() % 20);
    const Bytes bytes = input.take(std::min<std::size_t>(input.u8(), input.remaining()));
    entries.push_back({.kind = kind, .bytes = {bytes.begin(), bytes.end()}});
  }
  return entries;
}

// Whatever it believes, it can be worked with, and it can be saved again.
void use(Recorded& one, std::optional<restart::Live> live) {
  if (live && live->step) one.go_on(*live->execution, *live->step, 300);
  live.reset();
  one.run(one.engine().housekeeping(), 300);
  one.command(kContext, start_sequence(), 300);
  one.run(one.engine().idle_housekeeping(), 300);
  one.engine().device_lost();
  one.run(one.engine().bring_up(), 300);
  one.engine().close_context(kContext);
  one.run(one.engine().shutdown(true), 300);
  one.keep();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  static const Good good = make_good();
  proto::ByteReader input(Bytes(data, size));
  Buffer state = good.state;
  Entries entries = good.entries;
  switch (input.u8() % 4) {
    case 0: {
      const Bytes raw = input.rest();
      state.assign(raw.begin(), raw.end());
      break;
    }
    case 1:
      patch(state, input);
      break;
    case 2:
      patch(entries, input);
      break;
    default:
      entries = any_entries(input);
  }
  std::vector<restart::Input> inputs;
  for (const auto& entry : entries) inputs.push_back({.kind = entry.kind, .bytes = entry.bytes});
  test::World world;
  Recorded one(world);
  const Buffer before = one.now();
  auto live = one.engine().recover(state, inputs);
  if (!live) {
    require(!live.error().empty() && one.now() == before);
  } else {
    use(one, *std::move(live));
  }
  return 0;
}

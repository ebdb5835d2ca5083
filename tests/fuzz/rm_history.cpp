// The TPM 2.0 resource manager over time: a TPM that means well and has three slots, whose objects
// count what is done to them, and clients that know what the count must be. Housekeeping starts and
// gives way wherever the input says, commands fail after they were carried out, are withdrawn,
// detached or lost; no object may ever be found in an older state than it was left in.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "daemon/rm/resource_manager.h"
#include "daemon/tpm/command_view.h"
#include "daemon/tpm/response_code.h"
#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "tests/fuzz/manager_game.h"
#include "tests/support/client_command.h"

namespace {

using namespace tbs;
using fuzz::message;
using fuzz::require;
using proto::Buffer;
using proto::ByteReader;
using proto::Bytes;
using proto::ByteWriter;

constexpr std::uint32_t kUpdate = 0x15C;
constexpr std::size_t kSlots = 3;
constexpr std::uint32_t kAuthFail = 0x98E;

constexpr std::uint32_t handles(std::uint32_t count) {
  return count << 25;
}
// TPMA_CC of the commands that take part.
constexpr std::array<std::uint32_t, 8> kCommands = {
    tpm::cc::kSequenceComplete | handles(1) | 1U << 24,
    kUpdate | handles(1),
    tpm::cc::kContextLoad | 1U << 28,
    tpm::cc::kContextSave | handles(1),
    tpm::cc::kFlushContext | 1U << 24,
    tpm::cc::kGetCapability,
    tpm::cc::kReadClock,
    tpm::cc::kHashSequenceStart | 1U << 28,
};

std::uint32_t word_at(Bytes bytes, std::size_t offset) {
  return ByteReader(bytes.subspan(offset)).be32();
}

Buffer success(std::initializer_list<std::uint32_t> words) {
  Buffer body;
  ByteWriter writer(body);
  for (const std::uint32_t word : words) writer.be32(word);
  return message(tpm::kTagNoSessions, 0, body);
}

// Objects that count.
class CountingTpm {
 public:
  // `fails`: an update is carried out and answered with a failure.
  Buffer run(Bytes command, bool fails) {
    const auto handle = [&] { return word_at(command, tpm::kHeaderSize); };
    switch (tpm::command_code_of(command)) {
      case tpm::cc::kHashSequenceStart:
        return add(0);
      case kUpdate: {
        std::uint32_t* const count = at(handle());
        if (count == nullptr) return tpm::bare_response(tpm::rc::kReferenceH0);
        ++*count;
        return fails ? tpm::bare_response(kAuthFail) : success({*count});
      }
      case tpm::cc::kSequenceComplete: {
        std::uint32_t* const count = at(handle());
        if (count == nullptr) return tpm::bare_response(tpm::rc::kReferenceH0);
        const std::uint32_t last = *count;
        slots_[handle() - tpm::kTransientFirst].reset();
        return success({last});
      }
      case tpm::cc::kContextSave:
        return save(handle());
      case tpm::cc::kContextLoad:
        // Behind sequence, savedHandle, hierarchy and the blob's size.
        return add(word_at(command, tpm::kHeaderSize + 8 + 4 + 4 + 2));
      case tpm::cc::kFlushContext:
        if (at(handle()) == nullptr)
          return tpm::bare_response(tpm::at_parameter(tpm::rc::kHandle, 1));
        slots_[handle() - tpm::kTransientFirst].reset();
        return success({});
      case tpm::cc::kReadClock:
        return message(tpm::kTagNoSessions, 0, Buffer(25));
      case tpm::cc::kGetCapability:
        return capability(*tpm::parse_capability_query(command.subspan(tpm::kHeaderSize)));
      default:
        return tpm::bare_response(0);
    }
  }

 private:
  std::uint32_t* at(std::uint32_t handle) {
    const std::size_t slot = handle - tpm::kTransientFirst;
    return slot < kSlots && slots_[slot] ? &*slots_[slot] : nullptr;
  }

  Buffer add(std::uint32_t count) {
    for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
      if (slots_[slot]) continue;
      slots_[slot] = count;
      return success({tpm::kTransientFirst + slot});
    }
    return tpm::bare_response(0x902);  // TPM_RC_OBJECT_MEMORY
  }

  Buffer save(std::uint32_t handle) {
    const std::uint32_t* const count = at(handle);
    if (count == nullptr) return tpm::bare_response(tpm::rc::kReferenceH0);
    Buffer body;
    ByteWriter writer(body);
    writer.be64(++saves_);
    writer.be32(tpm::kSavedSequence);
    writer.be32(tpm::kRhNull);
    writer.be16(4);
    writer.be32(*count);
    return message(tpm::kTagNoSessions, 0, body);
  }

  Buffer capability(const tpm::CapabilityQuery& query) const {
    std::vector<std::uint32_t> words;
    if (query.capability == tpm::cap::kCommands) {
      words.assign(kCommands.begin(), kCommands.end());
    } else if (query.capability == tpm::cap::kProperties) {
      words = {tpm::pt::kHrTransientMin, kSlots, tpm::pt::kMaxCommandSize, 512};
    } else if (tpm::is_transient(query.property)) {
      for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
        if (slots_[slot]) words.push_back(tpm::kTransientFirst + slot);
      }
    }
    Buffer body;
    ByteWriter writer(body);
    writer.u8(0);
    writer.be32(query.capability);
    const bool pairs = query.capability == tpm::cap::kProperties;
    writer.be32(static_cast<std::uint32_t>(pairs ? words.size() / 2 : words.size()));
    for (const std::uint32_t word : words) writer.be32(word);
    return message(tpm::kTagNoSessions, 0, body);
  }

  std::array<std::optional<std::uint32_t>, kSlots> slots_;
  std::uint64_t saves_ = 0;
};

class History final : exec::Observer {
 public:
  explicit History(Bytes input) : input_(input), manager_(options(), *this) {
    run(*manager_.bring_up(), 0);
    for (std::uint64_t i = 1; i <= kContexts; ++i) {
      manager_.open_context(ContextId{i}, principal_of(UserId{static_cast<std::uint32_t>(i)}));
    }
  }

  void play() {
    while (input_.remaining() != 0) turn(input_.u8());
  }

 private:
  static constexpr std::uint64_t kContexts = 3;
  // What a client knows of an object.
  struct Known {
    ContextId context{};
    std::uint32_t handle = 0;
    std::uint32_t count = 0;
  };
  enum class Fate : std::uint8_t { Answered, Failed, Detached, Withdrawn };

  void tables_differ(std::string_view) override { require(false); }
  void older_state_loaded(std::uint32_t) override { require(false); }

  exec::Options options() {
    exec::Options chosen;
    const std::uint8_t bits = input_.u8();
    chosen.share = static_cast<exec::Share>(bits % 3);
    chosen.verify = (bits & 0x10) != 0;
    return chosen;
  }

  void turn(std::uint8_t what) {
    const unsigned number = what >> 3;
    switch (what % 8) {
      case 0:
        return create(ContextId{number % kContexts + 1});
      case 1:
        return complete(number);
      case 2:
        return save_and_load(number);
      case 3:
      case 4:
        return idle(number % 8);
      case 5:
        return update(number, static_cast<Fate>(input_.u8() % 4));
      default:
        return update(number, Fate::Answered);
    }
  }

  // Withdrawn after so many commands to the TPM; 0: not at all.
  exec::Done run(exec::Execution& execution, unsigned steps, Fate fate = Fate::Answered) {
    exec::Step step = execution.start();
    while (auto* const transmit = std::get_if<exec::Transmit>(&step)) {
      if (steps != 0 && --steps == 0) execution.withdraw();
      const bool own = transmit->client_command;
      if (own && fate == Fate::Detached) execution.detach();
      const Buffer command = transmit->command;
      step = execution.on_response(tpm_.run(command, own && fate == Fate::Failed));
    }
    return std::get<exec::Done>(std::move(step));
  }

  void chores() {
    while (const auto execution = manager_.housekeeping()) run(*execution, 0);
  }

  void idle(unsigned steps) {
    chores();
    if (const auto execution = manager_.idle_housekeeping()) run(*execution, steps);
  }

  std::optional<Buffer> submit(ContextId context, Buffer command, Fate fate = Fate::Answered) {
    chores();
    const auto execution =
        manager_.execute(test::client_command({.context = context, .bytes = std::move(command)}));
    if (fate == Fate::Withdrawn) execution->withdraw();
    exec::Done done = run(*execution, 0, fate);
    if (done.status != proto::Status::Success) return std::nullopt;
    return std::move(done.response);
  }

  static bool good(const std::optional<Buffer>& response) {
    return response && word_at(*response, 6) == 0;
  }

  Known* pick(unsigned number) {
    return known_.empty() ? nullptr : &known_[number % known_.size()];
  }

  void create(ContextId context) {
    if (known_.size() == 6) return;
    const auto response = submit(
        context, message(tpm::kTagNoSessions, tpm::cc::kHashSequenceStart, Buffer{0, 0, 0, 0x0B}));
    require(good(response));
    known_.push_back({context, word_at(*response, tpm::kHeaderSize), 0});
  }

  static Buffer about(std::uint32_t code, std::uint32_t handle) {
    Buffer body;
    ByteWriter(body).be32(handle);
    return message(tpm::kTagNoSessions, code, body);
  }

  void update(unsigned number, Fate fate) {
    Known* const known = pick(number);
    if (known == nullptr) return;
    const auto response = submit(known->context, about(kUpdate, known->handle), fate);
    if (fate == Fate::Withdrawn) return;
    ++known->count;
    if (fate == Fate::Failed) return;
    require(good(response) && word_at(*response, tpm::kHeaderSize) == known->count);
  }

  void complete(unsigned number) {
    Known* const known = pick(number);
    if (known == nullptr) return;
    const auto response = submit(known->context, about(tpm::cc::kSequenceComplete, known->handle));
    require(good(response) && word_at(*response, tpm::kHeaderSize) == known->count);
    known_.erase(known_.begin() + (known - known_.data()));
  }

  // The client's own ContextSave, and ContextLoad of it in another context.
  void save_and_load(unsigned number) {
    const Known* const known = pick(number);
    if (known == nullptr || known_.size() == 6) return;
    const auto saved = submit(known->context, tpm::build::context_save(known->handle));
    require(good(saved));
    const ContextId other{number % kContexts + 1};
    const Bytes blob = Bytes(*saved).subspan(tpm::kHeaderSize);
    const auto loaded = submit(other, tpm::build::context_load(blob));
    require(good(loaded));
    known_.push_back({other, word_at(*loaded, tpm::kHeaderSize), known->count});
  }

  ByteReader input_;
  CountingTpm tpm_;
  rm::ResourceManager manager_;
  std::vector<Known> known_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  History(Bytes(data, size)).play();
  return 0;
}

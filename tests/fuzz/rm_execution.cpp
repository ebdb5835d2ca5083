// Plays both sides of the resource manager: clients whose commands are half sense and half noise,
// and a TPM that answers with whatever the input says, from plausible successes over every warning
// to bytes that are no response. Whatever happens, every execution ends within a bound, and what
// belongs to closed contexts does not stay in the tables.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "daemon/rm/resource_manager.h"
#include "daemon/tpm/builder.h"
#include "daemon/tpm/capability.h"
#include "daemon/tpm/command_view.h"
#include "daemon/tpm/constants.h"
#include "daemon/tpm/response_code.h"
#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace {

using namespace tbs;
using proto::Buffer;
using proto::ByteReader;
using proto::Bytes;
using proto::ByteWriter;

// TPMA_CC of a few commands of every shape: (code | handles << 25 | returns a handle << 28 | ...).
constexpr std::uint32_t kReturns = 1U << 28;
constexpr std::uint32_t kFlushed = 1U << 24;
constexpr std::uint32_t kExtensive = 1U << 23;
constexpr std::uint32_t handles(std::uint32_t count) {
  return count << 25;
}
constexpr std::array kCommands = {
    0x120 | handles(2),                      // EvictControl
    0x121 | handles(1) | kExtensive,         // HierarchyControl
    0x126 | handles(1) | kExtensive,         // Clear
    0x131 | handles(1) | kReturns,           // CreatePrimary
    0x13E | handles(1) | kFlushed,           // SequenceComplete
    0x144U,                                  // Startup
    0x149 | handles(3),                      // PolicyNV
    0x153 | handles(1),                      // Create
    0x157 | handles(1) | kReturns,           // Load
    0x15C | handles(1),                      // SequenceUpdate
    0x15D | handles(1),                      // Sign
    0x161 | kReturns,                        // ContextLoad
    0x162 | handles(1),                      // ContextSave
    0x165 | kFlushed,                        // FlushContext
    0x173 | handles(1),                      // ReadPublic
    0x176 | handles(2) | kReturns,           // StartAuthSession
    0x17AU,                                  // GetCapability
    0x17BU,                                  // GetRandom
    0x181U,                                  // ReadClock
    0x185 | handles(2) | kFlushed,           // EventSequenceComplete
    0x186 | kReturns,                        // HashSequenceStart
    (1U << 29) | 1 | handles(7) | kReturns,  // a vendor command
};

constexpr std::array<std::uint32_t, 20> kHandles = {
    0x80000000, 0x80000001, 0x80000002, 0x80000003, 0x02000000, 0x02000001, 0x02000002,
    0x03000000, 0x03000001, 0x03000002, 0x03000003, 0x40000001, 0x40000007, 0x40000009,
    0x4000000B, 0x81000001, 0x01000001, 0x00000007, 0x80FFFFFF, 0xFFFFFFFF};

constexpr std::array<std::uint32_t, 24> kCodes = {
    0x100, 0x101, 0x901, 0x902, 0x903, 0x904, 0x905, 0x906, 0x908, 0x909, 0x90A, 0x910,
    0x911, 0x918, 0x919, 0x920, 0x921, 0x922, 0x18B, 0x1CB, 0x1DF, 0x09F, 0x98E, 0xB018B};

void require(bool condition) {
  if (!condition) std::abort();
}

Buffer message(std::uint16_t tag, std::uint32_t code, Bytes body) {
  Buffer bytes;
  ByteWriter writer(bytes);
  writer.be16(tag);
  writer.be32(static_cast<std::uint32_t>(tpm::kHeaderSize + body.size()));
  writer.be32(code);
  writer.bytes(body);
  return bytes;
}

class Game {
 public:
  explicit Game(Bytes input) : input_(input), manager_(options(), observer_) { bring_up(); }

  void play() {
    for (int turn = 0; turn < 200 && input_.remaining() != 0; ++turn) {
      const std::uint8_t kind = input_.u8();
      stick(kind);
      switch (kind % 8) {
        case 0:
          open();
          break;
        case 1:
          close();
          break;
        case 2:
          idle();
          break;
        case 3:
          lose();
          break;
        default:
          command();
          break;
      }
    }
    finish();
  }

 private:
  exec::Options options() {
    exec::Options chosen;
    const std::uint8_t bits = input_.u8();
    chosen.share = static_cast<exec::Share>(bits % 3);
    chosen.verify = (bits & 0x10) != 0;
    chosen.remove_saved_sessions = (bits & 0x20) != 0;
    chosen.limits = {.objects_per_context = 6,
                     .objects_per_user = 10,
                     .sessions_per_context = 4,
                     .sessions_per_user = 6,
                     .orphans_per_user = 2,
                     .orphan_lifetime = std::chrono::seconds(5)};
    chosen.now = [this] { return now_; };
    return chosen;
  }

  // --- the TPM ---

  Buffer capability(std::uint32_t kind, std::span<const std::uint32_t> words) {
    Buffer body;
    ByteWriter writer(body);
    writer.u8(0);
    writer.be32(kind);
    const bool pairs = kind == tpm::cap::kProperties;
    writer.be32(static_cast<std::uint32_t>(pairs ? words.size() / 2 : words.size()));
    for (const std::uint32_t word : words) writer.be32(word);
    return message(tpm::kTagNoSessions, 0, body);
  }

  Buffer honest(Bytes command) {
    switch (tpm::command_code_of(command)) {
      case tpm::cc::kReadClock:
        return message(tpm::kTagNoSessions, 0, Buffer(25));
      case tpm::cc::kGetCapability:
        break;
      default:
        return tpm::bare_response(0);
    }
    const auto query = tpm::parse_capability_query(command.subspan(tpm::kHeaderSize));
    if (query->capability == tpm::cap::kCommands) return capability(query->capability, kCommands);
    if (query->capability == tpm::cap::kHandles) return capability(query->capability, {});
    constexpr std::array<std::uint32_t, 8> kProperties = {
        tpm::pt::kHrTransientMin, 3,  tpm::pt::kHrLoadedMin,    3,
        tpm::pt::kContextGapMax,  20, tpm::pt::kMaxCommandSize, 512};
    return capability(query->capability, kProperties);
  }

  Buffer noise() {
    const Bytes raw = input_.take(std::min<std::size_t>(input_.u8(), input_.remaining()));
    return {raw.begin(), raw.end()};
  }

  std::uint32_t some_handle() { return kHandles[input_.u8() % kHandles.size()]; }

  Buffer saved_context() {
    Buffer bytes;
    ByteWriter writer(bytes);
    writer.be64(input_.u8());
    writer.be32(some_handle());
    writer.be32(tpm::kRhOwner);
    writer.be16(2);
    writer.be16(input_.u8());
    return bytes;
  }

  // A success of about the right shape.
  Buffer plausible(Bytes command) {
    Buffer body;
    ByteWriter writer(body);
    switch (tpm::command_code_of(command)) {
      case tpm::cc::kContextSave: {
        // A good TPM names what it was asked to save.
        body = saved_context();
        if ((input_.u8() & 3) != 0 && command.size() >= 14) {
          const std::uint32_t handle = ByteReader(command.subspan(10)).be32();
          tpm::put_be32(body, 8, tpm::is_session(handle) ? handle : tpm::kSavedObject);
        }
        break;
      }
      case tpm::cc::kContextLoad: {
        const std::uint32_t handle = ByteReader(command.subspan(18)).be32();
        writer.be32(tpm::is_session(handle) ? handle : some_handle());
        break;
      }
      case tpm::cc::kGetCapability:
      case tpm::cc::kReadClock:
        if ((input_.u8() & 1) != 0) return honest(command);
        return message(tpm::kTagNoSessions, 0, noise());
      default:
        writer.be32(some_handle());
    }
    const bool sessions = command.size() > 1 && command[1] == 2;
    if (sessions) {
      // parameterSize and as many TPMS_AUTH_RESPONSE as fit any command
      writer.be32(0);
      for (int i = 0; i < 3; ++i) {
        writer.be16(0);
        writer.u8(input_.u8());
        writer.be16(0);
      }
    }
    return message(sessions ? tpm::kTagSessions : tpm::kTagNoSessions, 0, body);
  }

  Buffer respond(Bytes command) {
    const std::uint8_t choice = input_.u8();
    if (choice < 150 || !input_.ok()) return plausible(command);
    if (choice < 240) return tpm::bare_response(kCodes[choice % kCodes.size()]);
    if (choice < 250) return message(tpm::kTagNoSessions, 0, noise());
    return noise();
  }

  // --- the clients ---

  void open() {
    const ContextId context{++contexts_};
    const UserId user{input_.u8() % 3U};
    manager_.open_context(context, user);
    open_.push_back(context);
  }

  void close() {
    if (open_.empty()) return;
    const std::size_t at = input_.u8() % open_.size();
    manager_.close_context(open_[at]);
    open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(at));
    now_ += std::chrono::seconds(1);
  }

  Buffer some_command() {
    const std::uint32_t attributes = kCommands[input_.u8() % kCommands.size()];
    const std::uint32_t code = attributes & 0x2000FFFF;
    Buffer body;
    ByteWriter writer(body);
    for (std::uint32_t i = 0; i < (attributes >> 25 & 7); ++i) writer.be32(some_handle());
    const std::uint8_t sessions = input_.u8() % 8;
    if (sessions >= 1 && sessions <= 3) {
      writer.be32(sessions * 9U);
      for (int i = 0; i < sessions; ++i) {
        writer.be32(some_handle());
        writer.be16(0);
        writer.u8(input_.u8());
        writer.be16(0);
      }
    }
    if (code == tpm::cc::kContextLoad) {
      writer.bytes(replies_.empty() || (input_.u8() & 1) == 0
                       ? saved_context()
                       : replies_[input_.u8() % replies_.size()]);
    } else if (code == tpm::cc::kFlushContext) {
      writer.be32(some_handle());
    } else if (code == tpm::cc::kGetCapability) {
      writer.be32(input_.u8() % 9);
      writer.be32(some_handle());
      writer.be32(input_.u8());
    } else if ((input_.u8() & 3) == 0) {
      writer.bytes(noise());
    }
    return message(sessions >= 1 && sessions <= 3 ? tpm::kTagSessions : tpm::kTagNoSessions, code,
                   body);
  }

  void command() {
    if (open_.empty()) open();
    const ContextId context = open_[input_.u8() % open_.size()];
    chores();
    Buffer bytes = input_.u8() == 0 ? noise() : some_command();
    const bool saves = tpm::command_code_of(bytes) == tpm::cc::kContextSave;
    static_cast<void>(manager_.loads_needed(context, bytes));
    const auto execution = manager_.execute(context, 0, std::move(bytes));
    const auto end = run(*execution);
    if (!end) return lose();
    if (end->status != proto::Status::Success) return;
    require(end->response.size() >= tpm::kHeaderSize);
    if (saves && end->response.size() > tpm::kHeaderSize) {
      replies_.emplace_back(end->response.begin() + tpm::kHeaderSize, end->response.end());
    }
  }

  // Takes nothing from the input, so that older inputs mean what they meant.
  void stick(std::uint8_t turn) {
    if (turn < 0xC0 || open_.empty()) return;
    const std::uint32_t handle = kHandles[turn >> 3 & 7];
    const proto::Status status = manager_.make_sticky(open_.back(), handle, turn % 8 != 2);
    require(status == proto::Status::Success || status == proto::Status::BadParameter ||
            status == proto::Status::TooManyResources);
  }

  // --- running ---

  // Empty when the device went away in between.
  std::optional<exec::Done> run(exec::Execution& execution) {
    exec::Step step = execution.start();
    for (int i = 0; i < 3000; ++i) {
      if (auto* const end = std::get_if<exec::Done>(&step)) return std::move(*end);
      if (const std::uint8_t event = input_.u8(); event >= 250) {
        if (event == 250) return std::nullopt;
        if (event < 253) execution.withdraw();
        if (event >= 253) execution.detach();
        if (event == 255) close();
      }
      if (const auto* const transmit = std::get_if<exec::Transmit>(&step)) {
        require(transmit->command.size() >= tpm::kHeaderSize);
        const Buffer command = transmit->command;
        step = execution.on_response(respond(command));
      } else {
        step = execution.on_pause_over();
      }
    }
    std::abort();  // it does not end
  }

  void chores() {
    for (int i = 0; i < 300; ++i) {
      const auto execution = manager_.housekeeping();
      if (execution == nullptr) return;
      if (!run(*execution)) lose();
    }
    std::abort();
  }

  void idle() {
    chores();
    const auto execution = manager_.idle_housekeeping();
    if (execution != nullptr && !run(*execution)) lose();
  }

  void bring_up() {
    const auto execution = manager_.bring_up();
    exec::Step step = execution->start();
    while (auto* const transmit = std::get_if<exec::Transmit>(&step)) {
      const Buffer command = transmit->command;
      step = execution->on_response(honest(command));
    }
    require(std::get<exec::Done>(step).status == proto::Status::Success);
  }

  void lose() {
    manager_.device_lost();
    bring_up();
  }

  void finish() {
    for (const ContextId context : open_) manager_.close_context(context);
    const auto execution = manager_.wind_down(true);
    run(*execution);
    for (std::uint64_t i = 1; i <= contexts_; ++i) {
      const rm::Holdings left = manager_.holdings(ContextId{i});
      require(left.objects == 0 && left.sessions == 0);
    }
  }

  ByteReader input_;
  exec::Observer observer_;
  TimePoint now_;
  rm::ResourceManager manager_;
  std::vector<ContextId> open_;
  std::vector<Buffer> replies_;
  std::uint64_t contexts_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Game(Bytes(data, size)).play();
  return 0;
}

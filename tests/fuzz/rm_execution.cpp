// The game of manager_game.h with the TPM 2.0 resource manager.

#include <array>
#include <cstdint>
#include <span>
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

namespace {

using namespace tbs;
using fuzz::message;
using fuzz::require;
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
    0x120 | handles(2),               // EvictControl
    0x121 | handles(1) | kExtensive,  // HierarchyControl
    0x126 | handles(1) | kExtensive,  // Clear
    0x131 | handles(1) | kReturns,    // CreatePrimary
    0x13E | handles(1) | kFlushed,    // SequenceComplete
    0x144U,                           // Startup
    0x149 | handles(3),               // PolicyNV
    0x153 | handles(1),               // Create
    0x157 | handles(1) | kReturns,    // Load
    0x15C | handles(1),               // SequenceUpdate
    0x15D | handles(1),               // Sign
    0x161 | kReturns,                 // ContextLoad
    0x162 | handles(1),               // ContextSave
    0x165 | kFlushed,                 // FlushContext
    0x173 | handles(1),               // ReadPublic
    0x176 | handles(2) | kReturns,    // StartAuthSession
    0x17AU,                           // GetCapability
    0x17BU,                           // GetRandom
    0x181U,                           // ReadClock
    0x185 | handles(2) | kFlushed,    // EventSequenceComplete
    0x186 | kReturns,                 // HashSequenceStart
    0x186 | kReturns,                 // twice, as its update: what they are about changes
    0x15C | handles(1),
    0x15C | handles(1),
    (1U << 29) | 1 | handles(7) | kReturns,  // a vendor command
};

constexpr std::array<std::uint32_t, 20> kHandles = {
    0x80000000, 0x80000001, 0x80000002, 0x80000003, 0x02000000, 0x02000001, 0x02000002,
    0x03000000, 0x03000001, 0x03000002, 0x03000003, 0x40000001, 0x40000007, 0x40000009,
    0x4000000B, 0x81000001, 0x01000001, 0x00000007, 0x80FFFFFF, 0xFFFFFFFF};

constexpr std::array<std::uint32_t, 24> kCodes = {
    0x100, 0x101, 0x901, 0x902, 0x903, 0x904, 0x905, 0x906, 0x908, 0x909, 0x90A, 0x910,
    0x911, 0x918, 0x919, 0x920, 0x921, 0x922, 0x18B, 0x1CB, 0x1DF, 0x09F, 0x98E, 0xB018B};

class Game final : public fuzz::ManagerGame {
 public:
  explicit Game(Bytes input)
      : ManagerGame(Family::Tpm20, input, 3000), manager_(options(), observer_) {
    bring_up();
  }

 private:
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

  exec::Engine& engine() override { return manager_; }

  Buffer honest(Bytes command) override {
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

  // Every other one is that of an object: without those nothing has a history.
  std::uint32_t some_handle() {
    const std::uint8_t choice = input_.u8();
    return choice < 128 ? kHandles[choice % 4] : kHandles[choice % kHandles.size()];
  }

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

  Buffer respond(Bytes command) override {
    const std::uint8_t choice = input_.u8();
    if (choice < 150 || !input_.ok()) return plausible(command);
    if (choice < 240) return tpm::bare_response(kCodes[choice % kCodes.size()]);
    if (choice < 250) return message(tpm::kTagNoSessions, 0, noise());
    return noise();
  }

  // --- the clients ---

  Buffer some_command() override {
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

  void keep(std::uint32_t command_code, Bytes response) override {
    if (command_code != tpm::cc::kContextSave || response.size() <= tpm::kHeaderSize) return;
    replies_.emplace_back(response.begin() + tpm::kHeaderSize, response.end());
  }

  // Makes something sticky, or no longer.
  void turn(std::uint8_t kind) override {
    if (kind < 0xC0 || open_.empty()) return;
    const std::uint32_t handle = kHandles[kind >> 3 & 7];
    const proto::Status status = manager_.make_sticky(open_.back(), handle, kind % 8 != 2);
    require(status == proto::Status::Success || status == proto::Status::BadParameter ||
            status == proto::Status::TooManyResources);
  }

  void check_empty() override {
    for (std::uint64_t i = 1; i <= contexts_; ++i) {
      const rm::Holdings left = manager_.holdings(ContextId{i});
      require(left.objects == 0 && left.sessions == 0);
    }
  }

  rm::ResourceManager manager_;
  std::vector<Buffer> replies_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Game(Bytes(data, size)).play();
  return 0;
}

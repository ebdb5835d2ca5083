// The game of manager_game.h with the TPM 2.0 resource manager.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "daemon/tpm/command_view.h"
#include "daemon/tpm/response_code.h"
#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/structures.h"
#include "tests/fuzz/manager_game.h"
#include "tests/support/command_attributes.h"
#include "tests/support/restarting_manager.h"

namespace {

using namespace tbs;
using fuzz::message;
using fuzz::require;
using proto::Buffer;
using proto::ByteReader;
using proto::Bytes;
using proto::ByteWriter;
using test::handles;

[[maybe_unused]] const bool kSilent = (tpm::silence_marshalling(), true);

// TPMA_CC of a few commands of every shape.
constexpr std::array kCommands = {
    tpm::cc::kEvictControl | handles(2),
    tpm::cc::kHierarchyControl | handles(1) | TPMA_CC_EXTENSIVE,
    tpm::cc::kClear | handles(1) | TPMA_CC_EXTENSIVE,
    tpm::cc::kCreatePrimary | handles(1) | TPMA_CC_RHANDLE,
    tpm::cc::kSequenceComplete | handles(1) | TPMA_CC_FLUSHED,
    tpm::cc::kStartup,
    TPM2_CC_PolicyNV | handles(3),
    tpm::cc::kCreate | handles(1),
    tpm::cc::kLoad | handles(1) | TPMA_CC_RHANDLE,
    tpm::cc::kSequenceUpdate | handles(1),
    tpm::cc::kSign | handles(1),
    tpm::cc::kContextLoad | TPMA_CC_RHANDLE,
    tpm::cc::kContextSave | handles(1),
    tpm::cc::kFlushContext | TPMA_CC_FLUSHED,
    tpm::cc::kReadPublic | handles(1),
    tpm::cc::kStartAuthSession | handles(2) | TPMA_CC_RHANDLE,
    tpm::cc::kGetCapability,
    tpm::cc::kGetRandom,
    tpm::cc::kReadClock,
    tpm::cc::kEventSequenceComplete | handles(2) | TPMA_CC_FLUSHED,
    tpm::cc::kHashSequenceStart | TPMA_CC_RHANDLE,
    // Twice, as its update: what they are about changes.
    tpm::cc::kHashSequenceStart | TPMA_CC_RHANDLE,
    tpm::cc::kSequenceUpdate | handles(1),
    tpm::cc::kSequenceUpdate | handles(1),
    tpm::cc::kVendorBit | 1 | handles(tpm::kMaxHandles) | TPMA_CC_RHANDLE,
};

constexpr std::array<std::uint32_t, 20> kHandles = {tpm::kTransientFirst,
                                                    tpm::kTransientFirst + 1,
                                                    tpm::kTransientFirst + 2,
                                                    tpm::kTransientFirst + 3,
                                                    TPM2_HMAC_SESSION_FIRST,
                                                    TPM2_HMAC_SESSION_FIRST + 1,
                                                    TPM2_HMAC_SESSION_FIRST + 2,
                                                    TPM2_POLICY_SESSION_FIRST,
                                                    TPM2_POLICY_SESSION_FIRST + 1,
                                                    TPM2_POLICY_SESSION_FIRST + 2,
                                                    TPM2_POLICY_SESSION_FIRST + 3,
                                                    tpm::kRhOwner,
                                                    tpm::kRhNull,
                                                    tpm::kPasswordSession,
                                                    tpm::kRhEndorsement,
                                                    tpm::kPersistentFirst + 1,
                                                    tpm::kNvIndexFirst + 1,
                                                    TPM2_PCR_FIRST + 7,
                                                    tpm::kTransientFirst | TPM2_HR_HANDLE_MASK,
                                                    0xFFFFFFFF};

constexpr std::array<std::uint32_t, 24> kCodes = {
    tpm::rc::kInitialize,
    tpm::rc::kFailure,
    tpm::rc::kContextGap,
    tpm::rc::kObjectMemory,
    tpm::rc::kSessionMemory,
    tpm::rc::kMemory,
    tpm::rc::kSessionHandles,
    tpm::rc::kObjectHandles,
    tpm::rc::kYielded,
    tpm::rc::kCanceled,
    tpm::rc::kTesting,
    tpm::rc::kReferenceH0,
    TPM2_RC_REFERENCE_H1,
    tpm::rc::kReferenceS0,
    TPM2_RC_REFERENCE_S1,
    tpm::rc::kNvRate,
    tpm::rc::kLockout,
    tpm::rc::kRetry,
    tpm::at_handle(tpm::rc::kHandle, 1),
    tpm::at_parameter(tpm::rc::kHandle, 1),
    tpm::at_parameter(tpm::rc::kIntegrity, 1),
    tpm::rc::kIntegrity,
    tpm::at_session(tpm::rc::kAuthFail, 1),
    tpm::by_resource_manager(tpm::at_handle(tpm::rc::kHandle, 1))};

class Game final : public fuzz::ManagerGame {
 public:
  explicit Game(Bytes input)
      : ManagerGame(Family::Tpm20, input, 3000), manager_(options(), observer_) {
    bring_up();
  }

 private:
  // --- the TPM ---

  exec::Engine& engine() override { return manager_; }

  Buffer honest(Bytes command) override {
    switch (tpm::command_code_of(command)) {
      case tpm::cc::kReadClock:
        return message(tpm::kTagNoSessions, tpm::rc::kSuccess, tpm::marshal(TPMS_TIME_INFO{}));
      case tpm::cc::kGetCapability:
        break;
      default:
        return tpm::bare_response(tpm::rc::kSuccess);
    }
    const auto query = tpm::parse_capability_query(command.subspan(tpm::kHeaderSize));
    if (query->capability == tpm::cap::kCommands) return test::commands_response(kCommands);
    if (query->capability == tpm::cap::kHandles) return tpm::handles_response({}, false);
    return tpm::properties_response({.more = false,
                                     .items = {{tpm::pt::kHrTransientMin, 3},
                                               {tpm::pt::kHrLoadedMin, 3},
                                               {tpm::pt::kContextGapMax, 20},
                                               {tpm::pt::kMaxCommandSize, 512}}});
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
        return message(tpm::kTagNoSessions, tpm::rc::kSuccess, noise());
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
    return message(sessions ? tpm::kTagSessions : tpm::kTagNoSessions, tpm::rc::kSuccess, body);
  }

  Buffer respond(Bytes command) override {
    const std::uint8_t choice = input_.u8();
    if (choice < 150 || !input_.ok()) return plausible(command);
    if (choice < 240) return tpm::bare_response(kCodes[choice % kCodes.size()]);
    if (choice < 250) return message(tpm::kTagNoSessions, tpm::rc::kSuccess, noise());
    return noise();
  }

  // --- the clients ---

  Buffer some_command() override {
    const std::uint32_t attributes = kCommands[input_.u8() % kCommands.size()];
    const std::uint32_t code = attributes & (TPMA_CC_COMMANDINDEX_MASK | TPMA_CC_V);
    Buffer body;
    ByteWriter writer(body);
    const std::uint32_t handles = (attributes & TPMA_CC_CHANDLES_MASK) >> TPMA_CC_CHANDLES_SHIFT;
    for (std::uint32_t i = 0; i < handles; ++i) writer.be32(some_handle());
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

  test::RestartingRm manager_;
  std::vector<Buffer> replies_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Game(Bytes(data, size)).play();
  return 0;
  test::choose_restarts(Bytes(data, size));
}

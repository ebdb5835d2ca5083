#pragma once

// A TPM 2.0 that means well: three slots for objects, each of which counts what is done to it. Its
// power may fail: what it has saved can be loaded again after a restart, but not after a reset.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/tpm/command_view.h"
#include "daemon/tpm/response_code.h"
#include "proto/byte_writer.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/structures.h"
#include "tests/fuzz/history_game.h"
#include "tests/support/command_attributes.h"

namespace tbs::fuzz {

class CountingTpm20 {
 public:
  proto::Buffer run(proto::Bytes command, Fate fate) {
    const std::uint32_t code = code_of(command);
    if (!started_ && code != tpm::cc::kStartup) return tpm::bare_response(tpm::rc::kInitialize);
    const std::uint32_t first = word_at(command, tpm::kHeaderSize);
    switch (code) {
      case tpm::cc::kStartup:
        if (started_) return tpm::bare_response(tpm::rc::kInitialize);
        started_ = true;
        return success({});
      case tpm::cc::kHashSequenceStart:
        return add(0);
      case tpm::cc::kSequenceUpdate:
        return update(first, fate);
      case tpm::cc::kSequenceComplete:
        return complete(first);
      case tpm::cc::kContextSave:
        return save(first);
      case tpm::cc::kContextLoad:
        return load(command.subspan(tpm::kHeaderSize));
      case tpm::cc::kFlushContext:
        if (at(first) == nullptr) {
          return tpm::bare_response(tpm::at_parameter(tpm::rc::kHandle, 1));
        }
        slots_[first - tpm::kTransientFirst].reset();
        return success({});
      case tpm::cc::kReadClock:
        return clock();
      case tpm::cc::kGetCapability:
        return capability(*tpm::parse_capability_query(command.subspan(tpm::kHeaderSize)));
      default:
        return success({});
    }
  }

  // What was saved is good, and what was loaded is gone.
  void restart() {
    slots_ = {};
    ++restarts_;
    started_ = false;
  }
  // Nothing is good any more.
  void reset() {
    restart();
    ++resets_;
    restarts_ = 0;
  }

  // How many it has carried out.
  [[nodiscard]] std::uint32_t updates() const { return updates_; }
  [[nodiscard]] bool empty() const { return slots_ == Slots{}; }

 private:
  static constexpr std::size_t kSlots = 3;
  static constexpr std::uint32_t kMaxCommandSize = 512;
  using Slots = std::array<std::optional<std::uint32_t>, kSlots>;

  // TPMA_CC of the commands that take part.
  static constexpr std::array<std::uint32_t, 8> kCommands = {
      tpm::cc::kSequenceComplete | test::handles(1) | TPMA_CC_FLUSHED,
      tpm::cc::kSequenceUpdate | test::handles(1),
      tpm::cc::kContextLoad | TPMA_CC_RHANDLE,
      tpm::cc::kContextSave | test::handles(1),
      tpm::cc::kFlushContext | TPMA_CC_FLUSHED,
      tpm::cc::kGetCapability,
      tpm::cc::kReadClock,
      tpm::cc::kHashSequenceStart | TPMA_CC_RHANDLE,
  };

  static proto::Buffer success(std::initializer_list<std::uint32_t> parameters) {
    return message(tpm::kTagNoSessions, tpm::rc::kSuccess, words(parameters));
  }

  std::uint32_t* at(std::uint32_t handle) {
    const std::size_t slot = handle - tpm::kTransientFirst;
    return slot < kSlots && slots_[slot] ? &*slots_[slot] : nullptr;
  }

  proto::Buffer add(std::uint32_t count) {
    for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
      if (slots_[slot]) continue;
      slots_[slot] = count;
      return success({tpm::kTransientFirst + slot});
    }
    return tpm::bare_response(tpm::rc::kObjectMemory);
  }

  proto::Buffer update(std::uint32_t handle, Fate fate) {
    std::uint32_t* const count = at(handle);
    if (count == nullptr) return tpm::bare_response(tpm::rc::kReferenceH0);
    ++*count;
    ++updates_;
    if (fate == Fate::Failed) return tpm::bare_response(tpm::at_session(tpm::rc::kAuthFail, 1));
    return success({*count});
  }

  proto::Buffer complete(std::uint32_t handle) {
    const std::uint32_t* const count = at(handle);
    if (count == nullptr) return tpm::bare_response(tpm::rc::kReferenceH0);
    const std::uint32_t last = *count;
    slots_[handle - tpm::kTransientFirst].reset();
    return success({last});
  }

  proto::Buffer save(std::uint32_t handle) {
    const std::uint32_t* const count = at(handle);
    if (count == nullptr) return tpm::bare_response(tpm::rc::kReferenceH0);
    const proto::Buffer blob = words({resets_, *count});
    proto::Buffer body;
    proto::ByteWriter writer(body);
    writer.be64(++saves_);
    writer.be32(tpm::kSavedSequence);
    writer.be32(tpm::kRhNull);
    writer.be16(static_cast<std::uint16_t>(blob.size()));
    writer.bytes(blob);
    return message(tpm::kTagNoSessions, tpm::rc::kSuccess, body);
  }

  proto::Buffer load(proto::Bytes context) {
    proto::ByteReader reader(context);
    // Behind sequence, savedHandle, hierarchy and the blob's size.
    reader.skip(8 + 4 + 4 + 2);
    if (reader.be32() != resets_) {
      return tpm::bare_response(tpm::at_parameter(tpm::rc::kIntegrity, 1));
    }
    return add(reader.be32());
  }

  [[nodiscard]] proto::Buffer clock() const {
    const TPMS_TIME_INFO now{
        .time = 0,
        .clockInfo = {.clock = 0, .resetCount = resets_, .restartCount = restarts_, .safe = 0}};
    return message(tpm::kTagNoSessions, tpm::rc::kSuccess, tpm::marshal(now));
  }

  [[nodiscard]] proto::Buffer capability(const tpm::CapabilityQuery& query) const {
    if (query.capability == tpm::cap::kCommands) return test::commands_response(kCommands);
    if (query.capability == tpm::cap::kProperties) {
      return tpm::properties_response({.more = false,
                                       .items = {{tpm::pt::kHrTransientMin, kSlots},
                                                 {tpm::pt::kMaxCommandSize, kMaxCommandSize}}});
    }
    std::vector<std::uint32_t> list;
    for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
      const bool asked = tpm::is_transient(query.property);
      if (asked && slots_[slot]) list.push_back(tpm::kTransientFirst + slot);
    }
    return tpm::handles_response(list, false);
  }

  Slots slots_;
  bool started_ = false;
  std::uint32_t resets_ = 0;
  std::uint32_t restarts_ = 0;
  std::uint64_t saves_ = 0;
  std::uint32_t updates_ = 0;
};

}  // namespace tbs::fuzz

#pragma once

// A TPM with a context gap of 255, as AMD's firmware TPMs have it: in front of a real one, it keeps
// the real one's sequence numbers and refuses what the small gap would not allow.
// Rules: TPM 2.0 Library, Part 1, "Context Management"; Part 3, TPM2_ContextSave, TPM2_ContextLoad
// and TPM2_StartAuthSession ("TPM_RC_CONTEXT_GAP").

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "daemon/tpm/command_view.h"
#include "daemon/tpm/response_code.h"
#include "daemon/tpm/response_view.h"
#include "daemon/tpm/saved_context.h"
#include "proto/tpm/capability.h"
#include "tests/support/test_chip.h"

namespace tbs::test {

class SmallGap {
 public:
  static constexpr std::uint64_t kGap = 255;

  explicit SmallGap(TestChip& chip) : chip_(chip) {}

  std::vector<std::uint8_t> run(std::span<const std::uint8_t> command) {
    const std::uint32_t code = tpm::command_code_of(command);
    if (refused(code, command)) {
      ++refusals;
      return tpm::bare_response(tpm::rc::kContextGap);
    }
    std::vector<std::uint8_t> bytes(command.begin(), command.end());
    if (code == tpm::cc::kContextLoad) shift_sequence(bytes, false);
    auto response = chip_.run(bytes);
    follow(code, command, response);
    return response;
  }

  // Others on the same chip save and load sessions of theirs until the TPM lets them no more.
  void others_use_it_up() {
    while (!saved_.empty() && !used_up()) ++foreign_;
  }

  int refusals = 0;

 private:
  static std::uint32_t word(std::span<const std::uint8_t> bytes) {
    return proto::ByteReader(bytes.subspan(tpm::kHeaderSize)).be32();
  }

  // What the next saved session would be numbered.
  [[nodiscard]] std::uint64_t counter() const {
    return newest_ + 1 + foreign_ - foreign_at_newest_;
  }
  [[nodiscard]] bool used_up() const {
    if (saved_.empty()) return false;
    return counter() - oldest()->second > kGap;
  }
  [[nodiscard]] std::map<std::uint32_t, std::uint64_t>::const_iterator oldest() const {
    return std::ranges::min_element(saved_, {}, [](const auto& entry) { return entry.second; });
  }

  [[nodiscard]] bool refused(std::uint32_t code, std::span<const std::uint8_t> command) const {
    if (!used_up()) return false;
    if (code == tpm::cc::kStartAuthSession) return true;
    if (code == tpm::cc::kContextSave) return tpm::is_session(word(command));
    if (code != tpm::cc::kContextLoad) return false;
    const auto context = tpm::parse_saved_context(command.subspan(tpm::kHeaderSize));
    return loaded_ >= 2 && context && tpm::is_session(context->handle) &&
           context->handle != oldest()->first;
  }

  void follow(std::uint32_t code, std::span<const std::uint8_t> command,
              std::vector<std::uint8_t>& response) {
    const bool handle = code == tpm::cc::kStartAuthSession || code == tpm::cc::kContextLoad;
    const auto view = tpm::parse_response(response, {.has_handle = handle});
    if (!view || !view->success()) return;
    if (handle && tpm::is_session(view->handle)) {
      ++loaded_;
      saved_.erase(view->handle);
    } else if (code == tpm::cc::kFlushContext && tpm::is_session(word(command))) {
      if (saved_.erase(word(command)) == 0) --loaded_;
    } else if (code == tpm::cc::kContextSave && tpm::is_session(word(command))) {
      --loaded_;
      note_saved(word(command), response);
    } else if (code == tpm::cc::kGetCapability) {
      patch_gap(response);
    }
  }

  void note_saved(std::uint32_t handle, std::span<std::uint8_t> response) {
    shifts_[handle] = foreign_;
    shift_sequence(response, true);
    newest_ = proto::ByteReader(response.subspan(tpm::kHeaderSize)).be64();
    saved_[handle] = newest_;
    foreign_at_newest_ = foreign_;
  }

  // The chip does not know of the others' saves: to the outside its sequence numbers are moved on
  // by them, and the chip gets its own back.
  void shift_sequence(std::span<std::uint8_t> message, bool outwards) {
    const auto context = tpm::parse_saved_context(message.subspan(tpm::kHeaderSize));
    if (!context || !tpm::is_session(context->handle)) return;
    const std::uint64_t shift = shifts_[context->handle];
    const std::uint64_t shifted = outwards ? context->sequence + shift : context->sequence - shift;
    tpm::put_be32(message, tpm::kHeaderSize, static_cast<std::uint32_t>(shifted >> 32));
    tpm::put_be32(message, tpm::kHeaderSize + 4, static_cast<std::uint32_t>(shifted));
  }

  static void patch_gap(std::vector<std::uint8_t>& response) {
    auto list = tpm::parse_properties(proto::Bytes(response).subspan(tpm::kHeaderSize));
    if (!list) return;
    for (tpm::Property& property : list->items) {
      if (property.name == tpm::pt::kContextGapMax) property.value = kGap;
    }
    response = tpm::properties_response(*list);
  }

  TestChip& chip_;
  std::map<std::uint32_t, std::uint64_t> saved_;
  std::uint64_t newest_ = 0;
  std::map<std::uint32_t, std::uint64_t> shifts_;
  std::uint64_t foreign_ = 0;
  std::uint64_t foreign_at_newest_ = 0;
  int loaded_ = 0;
};

}  // namespace tbs::test

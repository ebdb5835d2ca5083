#pragma once

// A TPM that numbers saved sessions as it likes, in front of a real one: outside it shows its own
// numbers, and gives the real TPM its own ones back.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "daemon/tpm/command_view.h"
#include "daemon/tpm/saved_context.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/constants.h"
#include "tests/support/test_chip.h"

namespace tbs::test {

class LyingNumbers {
 public:
  // From the right number to the one that is shown.
  using Lie = std::function<std::uint64_t(std::uint64_t)>;

  explicit LyingNumbers(TestChip& chip) : chip_(chip) {}

  Lie lie;
  std::optional<std::uint32_t> gap;  // shown as TPM_PT_CONTEXT_GAP_MAX

  std::vector<std::uint8_t> run(std::span<const std::uint8_t> command) {
    std::vector<std::uint8_t> bytes(command.begin(), command.end());
    const std::uint32_t code = tpm::command_code_of(command);
    if (code == tpm::cc::kContextLoad) put_right(bytes);
    auto response = chip_.run(bytes);
    if (code == tpm::cc::kContextSave) falsify(response);
    if (code == tpm::cc::kGetCapability && gap) falsify_gap(response);
    return response;
  }

 private:
  static void put_number(std::span<std::uint8_t> message, std::uint64_t number) {
    tpm::put_be32(message, tpm::kHeaderSize, static_cast<std::uint32_t>(number >> 32));
    tpm::put_be32(message, tpm::kHeaderSize + 4, static_cast<std::uint32_t>(number));
  }
  static std::optional<tpm::SavedContext> session_in(std::span<const std::uint8_t> message) {
    auto context = tpm::parse_saved_context(message.subspan(tpm::kHeaderSize));
    if (context && !tpm::is_session(context->handle)) return std::nullopt;
    return context;
  }

  void put_right(std::span<std::uint8_t> command) {
    const auto context = session_in(command);
    if (context) put_number(command, right_.at({context->handle, context->sequence}));
  }
  void falsify(std::span<std::uint8_t> response) {
    const auto context = session_in(response);
    if (!context || !lie) return remember(context, context ? context->sequence : 0);
    const std::uint64_t shown = lie(context->sequence);
    remember(context, shown);
    put_number(response, shown);
  }
  void remember(const std::optional<tpm::SavedContext>& context, std::uint64_t shown) {
    if (context) right_[{context->handle, shown}] = context->sequence;
  }
  void falsify_gap(std::vector<std::uint8_t>& response) const {
    auto list = tpm::parse_properties(proto::Bytes(response).subspan(tpm::kHeaderSize));
    if (!list) return;
    for (tpm::Property& property : list->items) {
      if (property.name == tpm::pt::kContextGapMax) property.value = *gap;
    }
    response = tpm::properties_response(*list);
  }

  TestChip& chip_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint64_t> right_;
};

}  // namespace tbs::test

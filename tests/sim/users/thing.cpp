#include "tests/sim/users/thing.h"

#include <array>
#include <cstddef>
#include <cstdio>

namespace tbs::sim {
namespace {

constexpr std::array kOpNames = {
    "CreatePrimary",   "HashSequenceStart", "StartAuthSession", "Sign",
    "ReadPublic",      "SequenceUpdate",    "SequenceComplete", "PolicyCommandCode",
    "PolicyGetDigest", "ContextSave",       "ContextLoad",      "FlushContext",
    "GetRandom",       "PCR_Extend",        "PCR_Read",         "GetCapability",
    "nonsense"};

}  // namespace

const char* name_of(Op op) {
  return kOpNames.at(static_cast<std::size_t>(op));
}

std::string text_of(std::uint32_t number) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "0x%x", static_cast<unsigned>(number));
  return text.data();
}

}  // namespace tbs::sim

#include "tests/sim/users/thing.h"

#include <array>
#include <cstddef>
#include <cstdio>

#include "proto/tpm/response_code.h"

namespace tbs::sim {
namespace {

constexpr std::array kOpNames = {
    "CreatePrimary",    "HashSequenceStart", "StartAuthSession", "Sign",
    "ReadPublic",       "SequenceUpdate",    "SequenceComplete", "PolicyCommandCode",
    "PolicyGetDigest",  "ContextSave",       "ContextLoad",      "FlushContext",
    "GetRandom",        "PCR_Extend",        "PCR_Read",         "GetCapability",
    "GetCapability",    "NV_DefineSpace",    "NV_Increment",     "NV_Read",
    "NV_UndefineSpace", "nonsense"};

}  // namespace

const char* name_of(Op op) {
  return kOpNames.at(static_cast<std::size_t>(op));
}

bool names_unknown(std::uint32_t code) {
  const std::uint32_t bare = code & ~tpm::rc::kResourceManagerLayer;
  return bare == tpm::at_handle(tpm::rc::kHandle, 1) ||
         bare == tpm::at_parameter(tpm::rc::kHandle, 1) || bare == tpm::rc::kReferenceH0 ||
         bare == tpm::at_parameter(tpm::rc::kIntegrity, 1);
}

std::string text_of(std::uint32_t number) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "0x%x", static_cast<unsigned>(number));
  return text.data();
}

}  // namespace tbs::sim

#pragma once

// What a code means, as far as the tables know: each way in which the text can be read is a reading
// of its own. 922 is TPM_RC_RETRY in hexadecimal, and something else in decimal.

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "client/tbsctl/explain/code_names.h"

namespace tbs::ctl {

struct CodeReading {
  CodeFamily family;
  std::uint32_t code;
  std::string name;
  std::string layer;   // who says it: "the TPM", "resource manager"
  std::string where;   // "parameter 2 (inPublic)"; empty when the code does not say
  std::string text;    // what it means
  std::string cause;   // what usually causes it
  std::string advice;  // what to do
  std::string tss;     // how tpm2-tss puts it; empty for codes that are not its own
};

std::string_view family_text(CodeFamily family);

// `command` is the code of the command that was answered so, or 0; with it, parameters and handles
// have names.
CodeReading explain_code(FamilyCode code, std::uint32_t command = 0);

// Every code that a number can be, by what is in the tables. Numbers of the system are written in
// decimal.
std::vector<FamilyCode> codes_numbered(std::uint32_t number, bool decimal);

// From a text that a user gave: a name, or a number in decimal or in hexadecimal with or without
// 0x. Nothing when it is no code at all; empty when it is one that no table has.
std::expected<std::vector<FamilyCode>, std::string> read_code(std::string_view text);

}  // namespace tbs::ctl

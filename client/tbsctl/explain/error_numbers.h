#pragma once

// Errors of the system: those that the kernel's TPM device and the sockets before it give, in
// words. Names come from the C library.

#include <optional>
#include <string>
#include <string_view>

namespace tbs::ctl {

struct ErrorRow {
  int number;
  std::string_view text;
  std::string_view cause;
  std::string_view advice;
};

// "EBUSY"; empty for a number that is no error.
std::string error_name(int number);
// The other way round.
std::optional<int> error_number(std::string_view name);

// Null for an error that has nothing to do with a TPM.
const ErrorRow* find_error(int number);

}  // namespace tbs::ctl

#pragma once

// A filter of system calls as the kernel runs it (seccomp(2)): what it says of one call, without a
// process that makes it, and for processors that this one is not.

#include <cstdint>
#include <vector>

#include <linux/filter.h>
#include <linux/seccomp.h>

namespace tbs::sandbox {
class Filter;
}

namespace tbs::test {

class FilterProgram {
 public:
  // A failure fails the test case.
  explicit FilterProgram(sandbox::Filter& filter);

  // One of SECCOMP_RET_*.
  [[nodiscard]] std::uint32_t verdict(const seccomp_data& call) const;

 private:
  // On a big-endian processor the upper half of an argument comes first.
  [[nodiscard]] std::uint32_t word_at(const seccomp_data& call, std::uint32_t offset) const;

  bool big_endian_;
  std::vector<sock_filter> steps_;
};

}  // namespace tbs::test

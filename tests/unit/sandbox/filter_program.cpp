#include "tests/unit/sandbox/filter_program.h"

#include <bit>
#include <cstddef>
#include <stdexcept>

#include <linux/audit.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/sandbox/filter.h"
#include "tests/support/catch2.h"

namespace tbs::test {
namespace {

bool holds(std::uint16_t code, std::uint32_t left, std::uint32_t right) {
  switch (BPF_OP(code)) {
    case BPF_JA:
      return true;
    case BPF_JEQ:
      return left == right;
    case BPF_JGT:
      return left > right;
    case BPF_JGE:
      return left >= right;
    case BPF_JSET:
      return (left & right) != 0;
    default:
      throw std::runtime_error("a filter has a jump that the test does not know");
  }
}

// libseccomp 2.5 turns some of these round twice when it writes for the other byte order.
std::uint32_t as_verdict(std::uint32_t value) {
  switch (value & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_ERRNO:
    case SECCOMP_RET_KILL_PROCESS:
      return value;
    default:
      return __builtin_bswap32(value);
  }
}

}  // namespace

FilterProgram::FilterProgram(sandbox::Filter& filter)
    : big_endian_((filter.processor() & __AUDIT_ARCH_LE) == 0) {
  const int memory = ::memfd_create("filter", MFD_CLOEXEC);
  REQUIRE(memory >= 0);
  const auto written = filter.write_program(memory);
  const off_t size = ::lseek(memory, 0, SEEK_END);
  steps_.resize(static_cast<std::size_t>(size) / sizeof(sock_filter));
  const ssize_t got = ::pread(memory, steps_.data(), static_cast<std::size_t>(size), 0);
  ::close(memory);
  INFO((written ? "" : written.error()));
  REQUIRE(written);
  REQUIRE(got == size);
  REQUIRE(size > 0);
  if (big_endian_ == (std::endian::native == std::endian::big)) return;
  for (sock_filter& step : steps_) {
    step.code = __builtin_bswap16(step.code);
    step.k = __builtin_bswap32(step.k);
  }
}

std::uint32_t FilterProgram::word_at(const seccomp_data& call, std::uint32_t offset) const {
  constexpr std::uint32_t kArguments = offsetof(seccomp_data, args);
  if (offset == offsetof(seccomp_data, nr)) return static_cast<std::uint32_t>(call.nr);
  if (offset == offsetof(seccomp_data, arch)) return call.arch;
  if (offset < kArguments || offset >= sizeof(call) || offset % 4 != 0) {
    throw std::runtime_error("a filter reads what the test does not know");
  }
  const std::uint32_t word = (offset - kArguments) / 4;
  const std::uint32_t half = big_endian_ ? 1 - word % 2 : word % 2;
  return static_cast<std::uint32_t>(call.args[word / 2] >> (32 * half));
}

std::uint32_t FilterProgram::verdict(const seccomp_data& call) const {
  std::uint32_t accumulator = 0;
  for (std::size_t at = 0; at < steps_.size(); ++at) {
    const sock_filter& step = steps_[at];
    switch (BPF_CLASS(step.code)) {
      case BPF_LD:
        accumulator = word_at(call, step.k);
        break;
      case BPF_ALU:
        accumulator &= step.k;
        break;
      case BPF_JMP:
        if (BPF_OP(step.code) == BPF_JA) {
          at += step.k;
        } else {
          at += holds(step.code, accumulator, step.k) ? step.jt : step.jf;
        }
        break;
      case BPF_RET:
        return as_verdict(step.k);
      default:
        throw std::runtime_error("a filter has a step that the test does not know");
    }
  }
  throw std::runtime_error("a filter has no end");
}

}  // namespace tbs::test

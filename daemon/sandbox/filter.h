#pragma once

// Which system calls this process may still make (seccomp(2)): a list of what it needs. What is on
// no list fails with ENOSYS, as on a kernel that does not know it, so that a library finds another
// way; a call that only an attacker would make ends the process.
//
// Once in place it holds for all threads and for what they start, and cannot be taken back.

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>

namespace tbs::sandbox {

// Sanitizers make calls of their own; a build without libseccomp has no filters.
#ifdef TBS_SECCOMP
inline constexpr bool kAvailable = true;
#else
inline constexpr bool kAvailable = false;
#endif

using Names = std::span<const char* const>;

class Filter {
 public:
  // Nothing is allowed yet. The processor is an AUDIT_ARCH_* of linux/audit.h; without one it is
  // the one that this program runs on, and only then can the filter be put in place.
  explicit Filter(std::uint32_t processor = 0);
  ~Filter();
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  [[nodiscard]] std::uint32_t processor() const { return processor_; }

  // Names that this processor's Linux does not have are passed over.
  void allow(Names names);
  // Where the bits of `mask` in the argument (from 0) are those of `value`. The call may be allowed
  // with several values.
  void allow_if(const char* name, unsigned argument, std::uint64_t mask, std::uint64_t value);
  // The call fails with this error instead of ENOSYS where the argument is such.
  void refuse_if(const char* name, unsigned argument, std::uint64_t mask, std::uint64_t value,
                 int error);
  // Ends the process.
  void forbid(Names names);

  // Puts the filter in place. The error says what went wrong; then nothing has changed, or some
  // threads are not filtered.
  std::expected<void, std::string> load();
  // Writes the program that the kernel would run (struct sock_filter of linux/filter.h).
  std::expected<void, std::string> write_program(int descriptor);

 private:
  struct Rules;

  std::uint32_t processor_;
  std::unique_ptr<Rules> rules_;
};

}  // namespace tbs::sandbox

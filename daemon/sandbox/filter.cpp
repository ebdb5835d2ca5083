#include "daemon/sandbox/filter.h"

#ifdef TBS_SECCOMP

#include <cstring>
#include <seccomp.h>
#include <stdexcept>

#include <errno.h>

namespace tbs::sandbox {

struct Filter::Rules {
  scmp_filter_ctx context = nullptr;
  int error = 0;  // of the first step that failed, negative

  void choose(std::uint32_t processor) {
    if (processor == seccomp_arch_native()) return;
    if (error == 0) error = seccomp_arch_remove(context, SCMP_ARCH_NATIVE);
    if (error == 0) error = seccomp_arch_add(context, processor);
  }
  void add(std::uint32_t action, const char* name, unsigned count, const scmp_arg_cmp* arguments) {
    // Numbers are those of this processor; libseccomp makes another one's of them.
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || error != 0) return;
    error = seccomp_rule_add_array(context, action, number, count, arguments);
  }
  void set(scmp_filter_attr attribute, std::uint32_t value) {
    if (error == 0) error = seccomp_attr_set(context, attribute, value);
  }
};

namespace {

scmp_arg_cmp bits(unsigned argument, std::uint64_t mask, std::uint64_t value) {
  return {.arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
}

std::expected<void, std::string> result(int error) {
  if (error == 0) return {};
  return std::unexpected(std::string("cannot filter system calls: ") + std::strerror(-error));
}

}  // namespace

Filter::Filter(std::uint32_t processor)
    : processor_(processor != 0 ? processor : seccomp_arch_native()),
      rules_(std::make_unique<Rules>()) {
  rules_->context = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
  if (rules_->context == nullptr) throw std::runtime_error("no memory for a system-call filter");
  rules_->choose(processor_);
  rules_->set(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  rules_->set(SCMP_FLTATR_CTL_TSYNC, 1);
  // Binary search in it: kernels before 5.11 ask it about every call.
  rules_->set(SCMP_FLTATR_CTL_OPTIMIZE, 2);
  // Older kernels else slow the processor down, for processes that run code of strangers.
  rules_->set(SCMP_FLTATR_CTL_SSB, 1);
}

Filter::~Filter() {
  seccomp_release(rules_->context);
}

void Filter::allow(Names names) {
  for (const char* const name : names) rules_->add(SCMP_ACT_ALLOW, name, 0, nullptr);
}

void Filter::allow_if(const char* name, unsigned argument, std::uint64_t mask,
                      std::uint64_t value) {
  const scmp_arg_cmp condition = bits(argument, mask, value);
  rules_->add(SCMP_ACT_ALLOW, name, 1, &condition);
}

void Filter::refuse_if(const char* name, unsigned argument, std::uint64_t mask, std::uint64_t value,
                       int error) {
  const scmp_arg_cmp condition = bits(argument, mask, value);
  rules_->add(SCMP_ACT_ERRNO(static_cast<std::uint16_t>(error)), name, 1, &condition);
}

void Filter::forbid(Names names) {
  for (const char* const name : names) rules_->add(SCMP_ACT_KILL_PROCESS, name, 0, nullptr);
}

std::expected<void, std::string> Filter::load() {
  return result(rules_->error != 0 ? rules_->error : seccomp_load(rules_->context));
}

std::expected<void, std::string> Filter::write_program(int descriptor) {
  return result(rules_->error != 0 ? rules_->error
                                   : seccomp_export_bpf(rules_->context, descriptor));
}

}  // namespace tbs::sandbox

#else

namespace tbs::sandbox {

struct Filter::Rules {};

Filter::Filter(std::uint32_t processor) : processor_(processor) {}
Filter::~Filter() = default;
void Filter::allow(Names) {}
void Filter::allow_if(const char*, unsigned, std::uint64_t, std::uint64_t) {}
void Filter::refuse_if(const char*, unsigned, std::uint64_t, std::uint64_t, int) {}
void Filter::forbid(Names) {}

std::expected<void, std::string> Filter::load() {
  return std::unexpected("this build has no filter of system calls");
}

std::expected<void, std::string> Filter::write_program(int) {
  return load();
}

}  // namespace tbs::sandbox

#endif

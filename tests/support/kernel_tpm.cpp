#include "tests/support/kernel_tpm.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "daemon/tpm/response_view.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"

namespace tbs::test {
namespace {

constexpr std::size_t kLargestResponse = 4096;

// TPM2_Clear by the lockout hierarchy with an empty password, which it has on a new TPM and after
// each clear.
constexpr std::uint8_t kClear[] = {0x80, 0x02, 0, 0, 0,    0x1B, 0, 0, 0x01, 0x26, 0x40, 0, 0, 0x0A,
                                   0,    0,    0, 9, 0x40, 0,    0, 9, 0,    0,    0,    0, 0};

void flush_all(KernelTpm& chip, std::uint32_t first) {
  constexpr std::uint32_t kMany = 64;
  const auto response = chip.run(tpm::build::get_capability(tpm::cap::kHandles, first, kMany));
  const auto view = tpm::parse_response(response, {});
  if (!view) return;
  const auto list = tpm::parse_words(view->parameters, tpm::cap::kHandles);
  if (!list) return;
  for (const std::uint32_t handle : list->items) chip.run(tpm::build::flush_context(handle));
}

}  // namespace

KernelTpm::KernelTpm() : node_(::open("/dev/tpm0", O_RDWR | O_CLOEXEC)) {
  if (node_ < 0) throw std::system_error(errno, std::generic_category(), "open /dev/tpm0");
  for (const std::uint32_t first : {0x80000000U, 0x02000000U, 0x03000000U}) flush_all(*this, first);
  run(kClear);
}

KernelTpm::~KernelTpm() {
  ::close(node_);
}

std::vector<std::uint8_t> KernelTpm::run(std::span<const std::uint8_t> command) {
  if (::write(node_, command.data(), command.size()) < 0) return {};
  std::vector<std::uint8_t> response(kLargestResponse);
  const ssize_t size = ::read(node_, response.data(), response.size());
  response.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return response;
}

}  // namespace tbs::test

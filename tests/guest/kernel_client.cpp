#include "tests/guest/kernel_client.h"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "tests/integration/support/tpm_commands.h"

namespace tbs::test {

using proto::Buffer;

std::filesystem::path chip() {
  return *std::filesystem::directory_iterator("/sys/class/tpm");
}

KernelClient::KernelClient() {
  std::string name = chip().filename();
  name.insert(3, "rm");
  node_ = ::open(("/dev/" + name).c_str(), O_RDWR | O_CLOEXEC);
  if (node_ < 0) throw std::system_error(errno, std::generic_category(), name);
}

KernelClient::~KernelClient() {
  ::close(node_);
}

Buffer KernelClient::run(const Buffer& command) const {
  if (::write(node_, command.data(), command.size()) < 0) return {};
  Buffer response(4096);
  const ssize_t size = ::read(node_, response.data(), response.size());
  response.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return response;
}

bool KernelClient::succeeds(const Buffer& command) const {
  return tpm::code(run(command)) == tpm::kSuccess;
}

std::uint32_t KernelClient::create(const Buffer& command) const {
  const Buffer response = run(command);
  return tpm::code(response) == tpm::kSuccess ? tpm::handle(response) : 0;
}

bool choose_tpm_random() {
  const std::filesystem::path chooser = "/sys/class/misc/hw_random";
  std::ifstream offered(chooser / "rng_available");
  const std::string sources{std::istreambuf_iterator<char>(offered), {}};
  if (sources.find("tpm-rng") == std::string::npos) return false;
  std::ofstream(chooser / "rng_current")
      << chip().filename().string().replace(0, 3, "tpm-rng-") << std::flush;
  std::string chosen;
  return std::ifstream(chooser / "rng_current") >> chosen && chosen.starts_with("tpm-rng");
}

}  // namespace tbs::test

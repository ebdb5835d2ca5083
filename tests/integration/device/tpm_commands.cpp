#include "tests/integration/device/tpm_commands.h"

#include "tests/integration/support/command_writer.h"

namespace tbs::test {
namespace {

using tpm::CommandWriter;

// TPM 2.0 Library Part 2: "TPM_CC", "TPM_RH".
constexpr std::uint32_t kCcEvictControl = 0x120;
constexpr std::uint32_t kCcPcrReset = 0x13D;
constexpr std::uint32_t kCcStartup = 0x144;
constexpr std::uint32_t kRhOwner = 0x40000001;

}  // namespace

proto::Buffer startup() {
  CommandWriter command(kCcStartup);
  command.out.be16(0);
  return command.finish();
}

proto::Buffer evict_control(std::uint32_t object, std::uint32_t persistent) {
  CommandWriter command(kCcEvictControl, true);
  command.out.be32(kRhOwner);
  command.out.be32(object);
  command.password();
  command.out.be32(persistent);
  return command.finish();
}

proto::Buffer reset_pcr(std::uint32_t index) {
  CommandWriter command(kCcPcrReset, true);
  command.out.be32(index);
  command.password();
  return command.finish();
}

}  // namespace tbs::test

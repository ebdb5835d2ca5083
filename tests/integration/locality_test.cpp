// Localities: TPM2_PCR_Reset of PCR 20 is allowed at locality 4 and 2 only, so that the TPM itself
// tells at which one a command has arrived.

#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Status;

namespace {

using tpm::pcr_reset;
constexpr std::uint32_t kRcLocality = TPM2_RC_LOCALITY;

Answer at(RawClient& client, std::uint32_t locality, const tpm::Buffer& command) {
  client.send(7, tbs::proto::Submit{.locality = locality, .priority = kNormal, .command = command});
  return client.receive_result();
}

}  // namespace

TEST_CASE("a command arrives at the locality that was asked for, and only that one") {
  TestBench bench;
  RawClient client = bench.context();
  CHECK(tpm::code(at(client, 0, pcr_reset(20)).response) == kRcLocality);
  if (device_under_test() == DeviceKind::Kernel) {
    CHECK(at(client, 2, pcr_reset(20)).status == Status::BadParameter);
    return;
  }
  CHECK(tpm::code(at(client, 2, pcr_reset(20)).response) == tpm::kSuccess);
  CHECK(tpm::code(at(client, 0, pcr_reset(20)).response) == kRcLocality);
  CHECK(at(client, 5, pcr_reset(20)).status == Status::BadParameter);
}

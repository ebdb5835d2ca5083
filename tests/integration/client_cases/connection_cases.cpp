// The functions of the TCTI themselves.

#include <unistd.h>

#include <tss2/tss2_tctildr.h>

#include "tests/integration/client_cases/case.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

namespace tbs::test {
namespace {

TSS2_RC transmit(TSS2_TCTI_CONTEXT* tcti, const proto::Buffer& command) {
  return Tss2_Tcti_Transmit(tcti, command.size(), command.data());
}

TSS2_RC receive(TSS2_TCTI_CONTEXT* tcti, proto::Buffer& response) {
  response.resize(TPM2_MAX_RESPONSE_SIZE);
  std::size_t size = response.size();
  const TSS2_RC result = Tss2_Tcti_Receive(tcti, &size, response.data(), TSS2_TCTI_TIMEOUT_BLOCK);
  response.resize(result == TSS2_RC_SUCCESS ? size : 0);
  return result;
}

// The response code of a cancelled command.
std::optional<std::uint32_t> outcome(TSS2_TCTI_CONTEXT* tcti) {
  proto::Buffer response;
  if (receive(tcti, response) != TSS2_RC_SUCCESS) return std::nullopt;
  return tpm::code(response);
}

// How many commands run, and how many wait.
std::pair<std::uint32_t, std::uint32_t> load(TestBench& bench) {
  std::uint32_t running = 0;
  std::uint32_t queued = 0;
  for (const proto::ContextEntry& entry : bench.contexts()) {
    running += entry.running;
    queued += entry.queued;
  }
  return {running, queued};
}

// TPM2_PCR_Reset of a register that allows it at locality 2 and 4, with an empty password.
proto::Buffer reset_pcr_20() {
  return {0x80, 0x02, 0, 0, 0,    27, 0, 0, 0x01, 0x3d, 0, 0, 0, 20,
          0,    0,    0, 9, 0x40, 0,  0, 9, 0,    0,    0, 0, 0};
}

}  // namespace

void bad_sequence(TestBench& bench) {
  const TssClient client(bench.socket());
  TSS2_TCTI_CONTEXT* const tcti = client.tcti();
  proto::Buffer response;
  CHECK(receive(tcti, response) == TSS2_TCTI_RC_BAD_SEQUENCE);
  CHECK(Tss2_Tcti_Cancel(tcti) == TSS2_TCTI_RC_BAD_SEQUENCE);
  REQUIRE(transmit(tcti, tpm::get_random(8)) == TSS2_RC_SUCCESS);
  CHECK(transmit(tcti, tpm::get_random(8)) == TSS2_TCTI_RC_BAD_SEQUENCE);
  CHECK(Tss2_Tcti_SetLocality(tcti, 0) == TSS2_TCTI_RC_BAD_SEQUENCE);
  REQUIRE(receive(tcti, response) == TSS2_RC_SUCCESS);
  CHECK(response.size() == 20);
  CHECK(receive(tcti, response) == TSS2_TCTI_RC_BAD_SEQUENCE);
}

void null_parameters(TestBench& bench) {
  const TssClient client(bench.socket());
  TSS2_TCTI_CONTEXT* const tcti = client.tcti();
  std::size_t size = 64;
  proto::Buffer response(size);
  TSS2_TCTI_CONTEXT* const nothing = nullptr;
  CHECK(Tss2_Tcti_Transmit(nothing, 10, response.data()) == TSS2_TCTI_RC_BAD_REFERENCE);
  CHECK(Tss2_Tcti_Transmit(tcti, 10, nullptr) == TSS2_TCTI_RC_BAD_REFERENCE);
  CHECK(Tss2_Tcti_Receive(tcti, nullptr, response.data(), 0) == TSS2_TCTI_RC_BAD_REFERENCE);
  CHECK(Tss2_Tcti_GetPollHandles(tcti, nullptr, nullptr) == TSS2_TCTI_RC_BAD_REFERENCE);
  CHECK(Tss2_Tcti_MakeSticky(tcti, nullptr, 1) == TSS2_TCTI_RC_BAD_REFERENCE);
  REQUIRE(transmit(tcti, tpm::get_random(8)) == TSS2_RC_SUCCESS);
  // Without memory for it, the size of the response.
  CHECK(Tss2_Tcti_Receive(tcti, &size, nullptr, TSS2_TCTI_TIMEOUT_BLOCK) == TSS2_RC_SUCCESS);
  CHECK(size == 20);
  CHECK(outcome(tcti) == TPM2_RC_SUCCESS);
}

void double_finalize(TestBench& bench) {
  TSS2_TCTI_CONTEXT* context = nullptr;
  REQUIRE(Tss2_TctiLdr_Initialize(tcti_name(bench.socket()).c_str(), &context) == TSS2_RC_SUCCESS);
  Tss2_Tcti_Finalize(context);
  Tss2_Tcti_Finalize(context);
  Tss2_TctiLdr_Finalize(&context);
  Tss2_TctiLdr_Finalize(&context);
  CHECK(context == nullptr);
}

void cancel(TestBench& bench) {
  const TssClient running(bench.socket());
  const TssClient queued(bench.socket());
  bench.freeze_tpm();
  REQUIRE(transmit(running.tcti(), tpm::get_random(8)) == TSS2_RC_SUCCESS);
  REQUIRE(eventually([&bench] { return load(bench) == std::pair(1U, 0U); }));
  REQUIRE(transmit(queued.tcti(), tpm::get_random(8)) == TSS2_RC_SUCCESS);
  REQUIRE(eventually([&bench] { return load(bench) == std::pair(1U, 1U); }));
  for (const TssClient* const each : {&queued, &running}) {
    CHECK(Tss2_Tcti_Cancel(each->tcti()) == TSS2_RC_SUCCESS);
    CHECK(outcome(each->tcti()) == TPM2_RC_CANCELED);
    CHECK(Tss2_Tcti_Cancel(each->tcti()) == TSS2_TCTI_RC_BAD_SEQUENCE);
  }
  bench.thaw_tpm();
  for (const TssClient* const each : {&queued, &running}) {
    REQUIRE(transmit(each->tcti(), tpm::get_random(8)) == TSS2_RC_SUCCESS);
    CHECK(outcome(each->tcti()) == TPM2_RC_SUCCESS);
  }
}

void set_locality(TestBench& bench) {
  if (::getuid() != 0) {
    WARN("skipped: localities are for administrators");
    return;
  }
  TssClient client(bench.socket());
  CHECK(client.code_of(reset_pcr_20()) == TPM2_RC_LOCALITY);
  CHECK(Tss2_Tcti_SetLocality(client.tcti(), 1) == TSS2_RC_SUCCESS);
  CHECK(client.code_of(reset_pcr_20()) == TPM2_RC_LOCALITY);
  CHECK(Tss2_Tcti_SetLocality(client.tcti(), 2) == TSS2_RC_SUCCESS);
  CHECK(client.code_of(reset_pcr_20()) == TPM2_RC_SUCCESS);
  CHECK(Tss2_Tcti_SetLocality(client.tcti(), 5) == TSS2_TCTI_RC_BAD_VALUE);
  CHECK(Tss2_Tcti_SetLocality(client.tcti(), 0) == TSS2_RC_SUCCESS);
  CHECK(client.code_of(reset_pcr_20()) == TPM2_RC_LOCALITY);
}

void connect_multiple(TestBench& bench) {
  {
    std::vector<TssClient> clients;
    for (int i = 0; i < 25; ++i) clients.emplace_back(bench.socket());
    for (const TssClient& client : clients) {
      REQUIRE(transmit(client.tcti(), tpm::get_property(TPM2_PT_MANUFACTURER)) == TSS2_RC_SUCCESS);
    }
  }
  CHECK(eventually([&bench] { return bench.contexts().empty(); }));
}

void connections_limit(TestBench& bench) {
  std::vector<TssClient> clients;
  for (std::size_t i = 0; i < kConnectionLimit; ++i) clients.emplace_back(bench.socket());
  TSS2_TCTI_CONTEXT* late = nullptr;
  CHECK(Tss2_TctiLdr_Initialize(tcti_name(bench.socket()).c_str(), &late) != TSS2_RC_SUCCESS);
  CHECK(clients.front().code_of(tpm::get_random(8)) == TPM2_RC_SUCCESS);
  clients.pop_back();
  REQUIRE(eventually([&bench] { return bench.contexts().size() == kConnectionLimit - 1; }));
  clients.emplace_back(bench.socket());
  CHECK(clients.back().code_of(tpm::get_random(8)) == TPM2_RC_SUCCESS);
}

}  // namespace tbs::test

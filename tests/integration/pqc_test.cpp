// A TPM with commands and sizes that tbs was not made for: those of post-quantum algorithms.

#include <utility>
#include <vector>

#include "client/include/tbs/tbsx.h"
#include "proto/limits.h"
#include "tests/integration/support/pqc_chip.h"
#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

#ifdef TBS_TEST_TCTI
#include <tss2/tss2_tctildr.h>
#endif

using namespace tbs::test;
using tbs::proto::Buffer;

namespace {

struct PqcBench {
  PqcBench() {
    swtpm.start();
    chip.lie(pqc::chip());
    daemon.emplace(folder, DaemonOptions{.device = chip.device()});
    daemon->wait_until_listening();
  }

  TempFolder folder;
  SwtpmProcess swtpm{folder};
  LyingTpm chip{folder, swtpm};
  std::optional<DaemonProcess> daemon;
};

// A program on libtbs, with a key of its own.
class Application {
 public:
  explicit Application(const PqcBench& bench) {
    const TBS_CONTEXT_PARAMS2 params{.version = TBS_CONTEXT_VERSION_TWO, .asUINT32 = 4};
    REQUIRE(Tbsx_Context_Create(reinterpret_cast<PCTBS_CONTEXT_PARAMS>(&params),
                                bench.daemon->socket().c_str(), &context_) == TBS_SUCCESS);
    key = tpm::handle(run(tpm::create_primary_ecc()));
  }
  ~Application() { Tbsip_Context_Close(context_); }
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  // The response of a command that succeeds.
  Buffer run(const Buffer& command) {
    Buffer response(pqc::kBuffers);
    auto size = static_cast<UINT32>(response.size());
    REQUIRE(Tbsip_Submit_Command(context_, 0, TBS_COMMAND_PRIORITY_NORMAL, command.data(),
                                 static_cast<UINT32>(command.size()), response.data(),
                                 &size) == TBS_SUCCESS);
    response.resize(size);
    REQUIRE(tpm::code(response) == tpm::kSuccess);
    return response;
  }
  std::vector<std::uint32_t> objects() {
    return tpm::handles(run(tpm::get_handles(tpm::kTransientFirst)));
  }

  std::uint32_t key = 0;
  std::uint32_t sequence = 0;

 private:
  TBS_HCONTEXT context_ = nullptr;
};

bool on_swtpm() {
  if (device_under_test() == DeviceKind::Swtpm) return true;
  WARN("skipped: it stands in front of a swtpm");
  return false;
}

}  // namespace

TEST_CASE("sequences and keys of commands that tbs does not know are moved like others") {
  if (!on_swtpm()) return;
  PqcBench bench;
  std::vector<std::unique_ptr<Application>> applications;
  for (int i = 0; i < 5; ++i) applications.push_back(std::make_unique<Application>(bench));
  // Ten objects on three slots: each step moves some.
  for (const auto& each : applications) {
    each->sequence =
        tpm::handle(each->run(pqc::sequence_start(pqc::kSignSequenceStart, each->key)));
  }
  for (const auto& each : applications) each->run(tpm::sequence_update(each->sequence, {1, 2, 3}));
  for (const auto& each : applications) {
    const Buffer signature = each->run(pqc::sign_sequence_complete(each->sequence, each->key));
    CHECK(signature.size() > pqc::kSignature);
  }
  // The sequence has ended, and the key has not.
  for (const auto& each : applications) {
    CHECK(each->objects() == std::vector{each->key});
    const Buffer secret = each->run(pqc::encapsulate(each->key));
    CHECK(secret.size() > pqc::kCiphertext);
    each->run(pqc::decapsulate(each->key, Buffer(pqc::kCiphertext, 1)));
    each->run(tpm::read_public(each->key));
  }
  applications.clear();
  CHECK(bench.daemon->stop() == 0);
  bench.chip.be_honest();
}

TEST_CASE("commands and responses may be as long as the TPM says") {
  if (!on_swtpm()) return;
  PqcBench bench;
  Application application(bench);
  RawClient client = RawClient::context(bench.daemon->socket());
  CHECK(client.ask(tbs::proto::DeviceInfo{}).max_command == pqc::kBuffers);
  const Buffer signature(pqc::kSignature, 1);
  application.sequence =
      tpm::handle(application.run(pqc::sequence_start(pqc::kVerifySequenceStart, application.key)));
  const Buffer longest =
      pqc::verify_sequence_complete(application.sequence, application.key, signature);
  REQUIRE(longest.size() > 4096);
  application.run(longest);
  CHECK(application.objects() == std::vector{application.key});
  // What the TPM does not take is refused before it.
  const std::uint64_t before = bench.chip.commands();
  Buffer too_long = tpm::hash(Buffer(pqc::kBuffers, 1));
  CHECK(client.call(too_long).status == tbs::proto::Status::BufferTooLarge);
  CHECK(bench.chip.commands() == before);
  CHECK(tpm::code(client.response(tpm::get_random(8))) == tpm::kSuccess);
  CHECK(bench.daemon->stop() == 0);
}

#ifdef TBS_TEST_TCTI
TEST_CASE("long commands go through the TCTI module") {
  if (!on_swtpm()) return;
  PqcBench bench;
  const std::string name = std::string(TBS_TEST_TCTI) + ":socket=" + bench.daemon->socket();
  TSS2_TCTI_CONTEXT* tcti = nullptr;
  REQUIRE(Tss2_TctiLdr_Initialize(name.c_str(), &tcti) == TSS2_RC_SUCCESS);
  const auto run = [&](const Buffer& command) {
    Buffer response(pqc::kBuffers);
    std::size_t size = response.size();
    REQUIRE(Tss2_Tcti_Transmit(tcti, command.size(), command.data()) == TSS2_RC_SUCCESS);
    REQUIRE(Tss2_Tcti_Receive(tcti, &size, response.data(), TSS2_TCTI_TIMEOUT_BLOCK) ==
            TSS2_RC_SUCCESS);
    response.resize(size);
    CHECK(tpm::code(response) == tpm::kSuccess);
    return response;
  };
  const std::uint32_t key = tpm::handle(run(tpm::create_primary_ecc()));
  const std::uint32_t verify =
      tpm::handle(run(pqc::sequence_start(pqc::kVerifySequenceStart, key)));
  run(pqc::verify_sequence_complete(verify, key, Buffer(pqc::kSignature, 1)));
  const std::uint32_t sign = tpm::handle(run(pqc::sequence_start(pqc::kSignSequenceStart, key)));
  CHECK(run(pqc::sign_sequence_complete(sign, key)).size() > pqc::kSignature);
  Tss2_TctiLdr_Finalize(&tcti);
  CHECK(bench.daemon->stop() == 0);
}
#endif

// The TCTI module in its own world: loaded by tctildr, driven by ESYS and by tpm2-tools, with a
// real tbsd behind it.

#include <cstdlib>
#include <memory>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

#include "tests/integration/support/program.h"
#include "tests/integration/support/test_bench.h"
#include "tests/support/catch2.h"

using namespace tbs::test;

namespace {

// An ESYS context over the module, loaded by its path.
class Esys {
 public:
  explicit Esys(const TestBench& bench) {
    const std::string name = std::string(TBS_TEST_TCTI) + ":socket=" + bench.socket();
    REQUIRE(Tss2_TctiLdr_Initialize(name.c_str(), &tcti_) == TSS2_RC_SUCCESS);
    REQUIRE(Esys_Initialize(&esys_, tcti_, nullptr) == TSS2_RC_SUCCESS);
  }
  ~Esys() {
    Esys_Finalize(&esys_);
    Tss2_TctiLdr_Finalize(&tcti_);
  }
  Esys(const Esys&) = delete;
  Esys& operator=(const Esys&) = delete;

  TSS2_RC begin_random() {
    return Esys_GetRandom_Async(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, 16);
  }
  TSS2_RC finish_random(std::int32_t timeout = TSS2_TCTI_TIMEOUT_BLOCK) {
    Esys_SetTimeout(esys_, timeout);
    TPM2B_DIGEST* bytes = nullptr;
    const TSS2_RC result = Esys_GetRandom_Finish(esys_, &bytes);
    Esys_Free(bytes);
    return result;
  }
  TSS2_RC random() {
    const TSS2_RC begun = begin_random();
    return begun == TSS2_RC_SUCCESS ? finish_random() : begun;
  }
  TSS2_RC cancel() { return Tss2_Tcti_Cancel(tcti_); }

 private:
  TSS2_TCTI_CONTEXT* tcti_ = nullptr;
  ESYS_CONTEXT* esys_ = nullptr;
};

}  // namespace

TEST_CASE("ESYS works over the module, and polls") {
  TestBench bench;
  Esys esys(bench);
  REQUIRE(esys.random() == TSS2_RC_SUCCESS);
  bench.freeze_tpm();
  REQUIRE(esys.begin_random() == TSS2_RC_SUCCESS);
  REQUIRE((esys.finish_random(0) & 0xffff) == TSS2_BASE_RC_TRY_AGAIN);
  bench.thaw_tpm();
  REQUIRE(eventually([&] { return esys.finish_random(0) == TSS2_RC_SUCCESS; }));
  REQUIRE(esys.random() == TSS2_RC_SUCCESS);
}

TEST_CASE("a cancelled command is TPM_RC_CANCELED to ESYS, which then goes on") {
  TestBench bench;
  Esys esys(bench);
  bench.freeze_tpm();
  REQUIRE(esys.begin_random() == TSS2_RC_SUCCESS);
  REQUIRE((esys.finish_random(20) & 0xffff) == TSS2_BASE_RC_TRY_AGAIN);
  REQUIRE(esys.cancel() == TSS2_RC_SUCCESS);
  REQUIRE(esys.finish_random() == TPM2_RC_CANCELED);
  bench.thaw_tpm();
  REQUIRE(esys.random() == TSS2_RC_SUCCESS);
}

TEST_CASE("a forked child of an ESYS program and its parent both go on") {
  TestBench bench;
  Esys esys(bench);
  REQUIRE(esys.random() == TSS2_RC_SUCCESS);
  const pid_t child = ::fork();
  if (child == 0) {
    bool good = true;
    for (int i = 0; i < 20; ++i) good = good && esys.random() == TSS2_RC_SUCCESS;
    ::_exit(good ? 0 : 1);
  }
  for (int i = 0; i < 20; ++i) CHECK(esys.random() == TSS2_RC_SUCCESS);
  int status = -1;
  ::waitpid(child, &status, 0);
  REQUIRE(status == 0);
}

TEST_CASE("tpm2-tools finds the module by its name") {
  // A tool that is not built with the sanitizer cannot load a module that is.
  if (sanitized()) return;
  TestBench bench;
  const std::string module = TBS_TEST_TCTI;
  const std::string folder = module.substr(0, module.rfind('/'));
  for (const std::string& configuration : {std::string("tbs"), "tbs:" + bench.socket(),
                                           "tbs:socket=" + bench.socket() + ",priority=low"}) {
    const std::string output = bench.folder() / "tool.log";
    Program tool({.command = {"/usr/bin/tpm2_getrandom", "-T", configuration, "--hex", "8"},
                  .environment = {"LD_LIBRARY_PATH=" + folder, "TBS_SOCKET=" + bench.socket()},
                  .output = output});
    INFO(configuration);
    const auto exit_code = tool.wait();
    INFO(read_file(output));
    REQUIRE(exit_code == 0);
  }
  REQUIRE(read_file(bench.folder() / "tool.log").size() == 3 * 16);
}

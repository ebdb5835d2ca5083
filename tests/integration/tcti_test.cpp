// The TCTI module in its own world: loaded by tctildr, driven by ESYS and by tpm2-tools, with a
// real tbsd behind it.

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

#include "tests/integration/support/program.h"
#include "tests/integration/support/test_bench.h"
#include "tests/support/catch2.h"

using namespace tbs::test;

namespace {

constexpr TSS2_RC kNoConnection = TSS2_RESMGR_RC_LAYER | TSS2_BASE_RC_NO_CONNECTION;
constexpr TSS2_RC kIoError = TSS2_RESMGR_RC_LAYER | TSS2_BASE_RC_IO_ERROR;

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
  TSS2_RC random(ESYS_TR session) {
    TPM2B_DIGEST* bytes = nullptr;
    const TSS2_RC result = Esys_GetRandom(esys_, session, ESYS_TR_NONE, ESYS_TR_NONE, 16, &bytes);
    Esys_Free(bytes);
    return result;
  }
  ESYS_TR create_key() {
    const TPM2B_SENSITIVE_CREATE sensitive{};
    const TPM2B_DATA outside{};
    const TPML_PCR_SELECTION pcrs{};
    TPM2B_PUBLIC area{};
    area.publicArea.type = TPM2_ALG_ECC;
    area.publicArea.nameAlg = TPM2_ALG_SHA256;
    area.publicArea.objectAttributes = TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_USERWITHAUTH |
                                       TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                       TPMA_OBJECT_SENSITIVEDATAORIGIN;
    area.publicArea.parameters.eccDetail = {.symmetric = {.algorithm = TPM2_ALG_NULL},
                                            .scheme = {.scheme = TPM2_ALG_NULL},
                                            .curveID = TPM2_ECC_NIST_P256,
                                            .kdf = {.scheme = TPM2_ALG_NULL}};
    ESYS_TR key = ESYS_TR_NONE;
    REQUIRE(Esys_CreatePrimary(esys_, ESYS_TR_RH_NULL, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                               &sensitive, &area, &outside, &pcrs, &key, nullptr, nullptr, nullptr,
                               nullptr) == TSS2_RC_SUCCESS);
    return key;
  }
  ESYS_TR start_session() {
    const TPMT_SYM_DEF none{.algorithm = TPM2_ALG_NULL};
    ESYS_TR session = ESYS_TR_NONE;
    REQUIRE(Esys_StartAuthSession(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                  ESYS_TR_NONE, nullptr, TPM2_SE_HMAC, &none, TPM2_ALG_SHA256,
                                  &session) == TSS2_RC_SUCCESS);
    Esys_TRSess_SetAttributes(esys_, session, TPMA_SESSION_AUDIT | TPMA_SESSION_CONTINUESESSION,
                              0xff);
    return session;
  }
  TSS2_RC read_public(ESYS_TR key) {
    TPM2B_PUBLIC* area = nullptr;
    const TSS2_RC result = Esys_ReadPublic(esys_, key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                           &area, nullptr, nullptr);
    Esys_Free(area);
    return result;
  }
  TSS2_RC flush(ESYS_TR handle) { return Esys_FlushContext(esys_, handle); }
  TSS2_RC cancel() { return Tss2_Tcti_Cancel(tcti_); }

 private:
  TSS2_TCTI_CONTEXT* tcti_ = nullptr;
  ESYS_CONTEXT* esys_ = nullptr;
};

// Runs this in a forked child; whether it came out true.
template <typename Body>
bool in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body() ? 0 : 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  return status == 0;
}

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

TEST_CASE("an ESYS context goes on after a daemon that was started anew") {
  TestBench bench;
  Esys esys(bench);
  REQUIRE(esys.random() == TSS2_RC_SUCCESS);
  for (const int how : {SIGTERM, SIGKILL}) {
    INFO(how);
    bench.daemon().program().signal(how);
    bench.daemon().wait_for_exit();
    // And is told as often as it asks that there is none.
    for (int i = 0; i < 3; ++i) REQUIRE(esys.random() == kNoConnection);
    bench.restart_daemon();
    REQUIRE(esys.random() == TSS2_RC_SUCCESS);
    REQUIRE(esys.random() == TSS2_RC_SUCCESS);
  }
}

TEST_CASE("an ESYS context goes on after a daemon that went with a command of it") {
  TestBench bench;
  Esys esys(bench);
  for (const int how : {SIGTERM, SIGKILL}) {
    INFO(how);
    REQUIRE(esys.random() == TSS2_RC_SUCCESS);
    bench.freeze_tpm();
    REQUIRE(esys.begin_random() == TSS2_RC_SUCCESS);
    REQUIRE((esys.finish_random(20) & 0xffff) == TSS2_BASE_RC_TRY_AGAIN);
    bench.daemon().program().signal(how);
    // Whether it was executed can be told of one that was stopped in good order alone.
    REQUIRE(esys.finish_random() == (how == SIGTERM ? kNoConnection : kIoError));
    bench.thaw_tpm();
    bench.daemon().wait_for_exit();
    bench.restart_daemon();
    REQUIRE(esys.random() == TSS2_RC_SUCCESS);
  }
}

TEST_CASE("what an ESYS context had on a lost connection is unknown, and it can tidy up") {
  TestBench bench;
  Esys esys(bench);
  const ESYS_TR key = esys.create_key();
  const ESYS_TR session = esys.start_session();
  REQUIRE(esys.read_public(key) == TSS2_RC_SUCCESS);
  bench.stop_daemon();
  bench.restart_daemon();
  const TSS2_RC unknown = esys.read_public(key);
  REQUIRE(unknown == (TSS2_RESMGR_RC_LAYER | TPM2_RC_HANDLE | TPM2_RC_1));
  const ESYS_TR next = esys.create_key();
  REQUIRE(esys.read_public(next) == TSS2_RC_SUCCESS);
  // Not the new one, though it is the first of its connection as well.
  REQUIRE(esys.read_public(key) == unknown);
  REQUIRE(esys.random(session) == (TSS2_RESMGR_RC_LAYER | TPM2_RC_REFERENCE_S0));
  REQUIRE(esys.flush(key) == TSS2_RC_SUCCESS);
  REQUIRE(esys.flush(session) == TSS2_RC_SUCCESS);
  REQUIRE(esys.read_public(next) == TSS2_RC_SUCCESS);
  REQUIRE(esys.flush(next) == TSS2_RC_SUCCESS);
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

TEST_CASE("a forked child has copies of its parent's keys, and so has its own child") {
  TestBench bench;
  Esys esys(bench);
  std::vector<ESYS_TR> keys;
  for (int i = 0; i < 4; ++i) keys.push_back(esys.create_key());
  const ESYS_TR session = esys.start_session();
  const auto has_all = [&] {
    return std::ranges::all_of(
        keys, [&](ESYS_TR key) { return esys.read_public(key) == TSS2_RC_SUCCESS; });
  };
  CHECK(in_child([&] {
    return has_all() && esys.random(session) != TSS2_RC_SUCCESS &&
           esys.flush(keys[0]) == TSS2_RC_SUCCESS &&
           in_child([&] { return !has_all() && esys.read_public(keys[1]) == TSS2_RC_SUCCESS; });
  }));
  // The child of one that has not used the connection.
  CHECK(in_child([&] { return in_child(has_all); }));
  CHECK(has_all());
  CHECK(esys.random(session) == TSS2_RC_SUCCESS);
}

TEST_CASE("a child has its parent's keys, though the parent has ended or closed its context") {
  TestBench bench;
  for (const bool closes : {false, true}) {
    INFO((closes ? "closes" : "ends"));
    int start[2];
    int result[2];
    REQUIRE(::pipe(start) == 0);
    REQUIRE(::pipe(result) == 0);
    CHECK(in_child([&] {
      auto esys = std::make_unique<Esys>(bench);
      const ESYS_TR key = esys->create_key();
      if (::fork() == 0) {
        char go = 0;
        ::close(start[1]);
        if (::read(start[0], &go, 1) != 0) ::_exit(1);  // the end: everybody else has let go of it
        const char good = esys->read_public(key) == TSS2_RC_SUCCESS ? 'y' : 'n';
        ::_exit(::write(result[1], &good, 1) == 1 ? 0 : 1);
      }
      if (closes) esys.reset();
      return true;
    }));
    CHECK(bench.contexts().size() == 1);
    ::close(start[1]);
    char good = 0;
    REQUIRE(::read(result[0], &good, 1) == 1);
    CHECK(good == 'y');
    CHECK(eventually([&] { return bench.contexts().empty(); }));
    for (const int each : {start[0], result[0], result[1]}) ::close(each);
  }
}

TEST_CASE("a child that does not use its parent's connection lets go of it with its end") {
  TestBench bench;
  int start[2];
  REQUIRE(::pipe(start) == 0);
  const auto run = [&](bool finalize) {
    auto esys = std::make_unique<Esys>(bench);
    esys->create_key();
    const pid_t child = ::fork();
    if (child == 0) {
      if (finalize) esys.reset();
      char go = 0;
      ::close(start[1]);
      ::_exit(::read(start[0], &go, 1) == 1 ? 0 : 1);
    }
    if (finalize) {
      // The child has closed the context that it inherited, and still runs.
      esys.reset();
      CHECK(eventually([&] { return bench.contexts().empty(); }));
    }
    CHECK(::write(start[1], "", 1) == 1);
    int status = -1;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
    if (!finalize) CHECK(esys->random() == TSS2_RC_SUCCESS);
  };
  run(true);
  run(false);
  CHECK(eventually([&] { return bench.contexts().empty(); }));
  for (const int each : start) ::close(each);
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

// libtbs on a real tbsd: a C program, cancels and closes while commands are on the TPM, and a
// daemon that goes away.

#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

#include "client/include/tbs/tbsx.h"
#include "tests/integration/support/program.h"
#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;

namespace {

TBS_HCONTEXT open_context(const TestBench& bench) {
  const TBS_CONTEXT_PARAMS2 params{.version = TBS_CONTEXT_VERSION_TWO, .asUINT32 = 4};
  TBS_HCONTEXT context = nullptr;
  REQUIRE(Tbsx_Context_Create(reinterpret_cast<PCTBS_CONTEXT_PARAMS>(&params),
                              bench.socket().c_str(), &context) == TBS_SUCCESS);
  return context;
}

TBS_RESULT get_random(TBS_HCONTEXT context) {
  const auto command = tpm::get_random(8);
  BYTE response[64];
  UINT32 size = sizeof response;
  return Tbsip_Submit_Command(context, 0, TBS_COMMAND_PRIORITY_NORMAL, command.data(),
                              static_cast<UINT32>(command.size()), response, &size);
}

std::uint64_t number_of(TBS_HCONTEXT context) {
  TBSX_CONTEXT_INFO info{};
  REQUIRE(Tbsx_Get_Context_Info(context, &info) == TBS_SUCCESS);
  return info.number;
}

// Threads that submit one command each on a TPM that stands still.
class Submitters {
 public:
  Submitters(TestBench& bench, TBS_HCONTEXT context, std::size_t count) : results_(count) {
    bench.freeze_tpm();
    for (auto& result : results_) {
      threads_.emplace_back([&result, context] { result = get_random(context); });
    }
    const std::uint64_t number = number_of(context);
    REQUIRE(eventually([&] {
      const auto entry = bench.entry_of(number);
      return entry && entry->queued + entry->running == count;
    }));
  }

  std::vector<TBS_RESULT> results() {
    threads_.clear();
    return results_;
  }

 private:
  std::vector<TBS_RESULT> results_;
  std::vector<std::jthread> threads_;
};

}  // namespace

TEST_CASE("a C program gets from every function what is documented") {
  TestBench bench;
  Program program({.command = {TBS_TEST_CLIENT_C},
                   .environment = {"TBS_SOCKET=" + bench.socket()},
                   .output = bench.folder() / "client_c.log"});
  const auto exit_code = program.wait();
  INFO(read_file(bench.folder() / "client_c.log"));
  REQUIRE(exit_code == 0);
}

TEST_CASE("a cancel ends commands of all threads, on the TPM and before it") {
  TestBench bench;
  TBS_HCONTEXT context = open_context(bench);
  Submitters submitters(bench, context, 5);
  REQUIRE(Tbsip_Cancel_Commands(context) == TBS_SUCCESS);
  REQUIRE(submitters.results() == std::vector<TBS_RESULT>(5, TBS_E_COMMAND_CANCELED));
  bench.thaw_tpm();
  REQUIRE(get_random(context) == TBS_SUCCESS);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

TEST_CASE("more commands than the window holds are cancelled as well") {
  TestBench bench;
  TBS_HCONTEXT context = open_context(bench);
  bench.freeze_tpm();
  std::atomic<int> started = 0;
  std::atomic<int> canceled = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 50; ++i) {
    threads.emplace_back([&] {
      ++started;
      if (get_random(context) == TBS_E_COMMAND_CANCELED) ++canceled;
    });
  }
  // A thread that submits after a cancel is met by the next.
  REQUIRE(eventually([&] {
    if (started == 50) Tbsip_Cancel_Commands(context);
    return canceled == 50;
  }));
  threads.clear();
  bench.thaw_tpm();
  REQUIRE(get_random(context) == TBS_SUCCESS);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

TEST_CASE("closing cancels what is outstanding, and the daemon forgets the context") {
  TestBench bench;
  TBS_HCONTEXT context = open_context(bench);
  const std::uint64_t number = number_of(context);
  Submitters submitters(bench, context, 3);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
  REQUIRE(submitters.results() == std::vector<TBS_RESULT>(3, TBS_E_COMMAND_CANCELED));
  bench.thaw_tpm();
  REQUIRE(bench.wait_until_gone(number));
}

TEST_CASE("a daemon that goes away ends every call; another can be connected to") {
  TestBench bench;
  TBS_HCONTEXT context = open_context(bench);
  Submitters submitters(bench, context, 3);
  bench.daemon().program().signal(SIGKILL);
  REQUIRE(submitters.results() == std::vector<TBS_RESULT>(3, TBS_E_SERVICE_NOT_RUNNING));
  REQUIRE(get_random(context) == TBS_E_SERVICE_NOT_RUNNING);
  REQUIRE(Tbsip_Cancel_Commands(context) == TBS_E_SERVICE_NOT_RUNNING);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
  REQUIRE(bench.daemon().wait_for_exit() == 128 + SIGKILL);
}

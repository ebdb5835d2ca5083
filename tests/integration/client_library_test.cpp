// libtbs on a real tbsd: a C program, cancels and closes while commands are on the TPM, and a
// daemon that goes away.

#include <algorithm>
#include <atomic>
#include <csignal>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "client/include/tbs/tbs.hpp"
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

// The response to a command that reaches the TPM.
tbs::proto::Buffer run(TBS_HCONTEXT context, const tbs::proto::Buffer& command) {
  tbs::proto::Buffer response(4096);
  auto size = static_cast<UINT32>(response.size());
  REQUIRE(Tbsip_Submit_Command(context, 0, TBS_COMMAND_PRIORITY_NORMAL, command.data(),
                               static_cast<UINT32>(command.size()), response.data(),
                               &size) == TBS_SUCCESS);
  response.resize(size);
  return response;
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
    const auto at_daemon = static_cast<std::uint32_t>(std::min<std::size_t>(count, 32));
    REQUIRE(eventually([&] {
      const auto entry = bench.entry_of(number);
      return entry && entry->queued + entry->running == at_daemon;
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

TEST_CASE("a command is given up in time, and the context goes on") {
  TestBench bench;
  TBS_HCONTEXT context = open_context(bench);
  const auto command = tpm::get_random(8);
  const auto submit = [&](INT32 timeout) {
    BYTE response[64];
    UINT32 size = sizeof response;
    return Tbsx_Submit_Timeout(context, 0, TBS_COMMAND_PRIORITY_NORMAL, command.data(),
                               UINT32(command.size()), response, &size, timeout);
  };
  REQUIRE(submit(-1) == TBS_SUCCESS);
  bench.freeze_tpm();
  for (const INT32 timeout : {50, 0, 50}) REQUIRE(submit(timeout) == TBSX_E_TIMED_OUT);
  bench.thaw_tpm();
  REQUIRE(submit(-1) == TBS_SUCCESS);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

TEST_CASE("one command of a context is cancelled, on the TPM or before it, and the other goes on") {
  TestBench bench;
  TBS_HCONTEXT context = open_context(bench);
  const auto command = tpm::get_random(8);
  const auto take = [&](TBSX_REQUEST request) {
    BYTE response[64];
    UINT32 size = sizeof response;
    return Tbsx_Submit_Result(context, request, response, &size, -1);
  };
  for (const std::size_t canceled : {1U, 0U}) {
    bench.freeze_tpm();
    TBSX_REQUEST requests[2] = {};
    for (TBSX_REQUEST& request : requests) {
      REQUIRE(Tbsx_Submit_Begin(context, 0, TBS_COMMAND_PRIORITY_NORMAL, command.data(),
                                UINT32(command.size()), &request) == TBS_SUCCESS);
    }
    CHECK(eventually([&] {
      const auto entry = bench.entry_of(number_of(context));
      return entry && entry->running == 1 && entry->queued == 1;
    }));
    CHECK(Tbsx_Cancel_Request(context, requests[canceled]) == TBS_SUCCESS);
    CHECK(take(requests[canceled]) == TBS_E_COMMAND_CANCELED);
    bench.thaw_tpm();
    CHECK(take(requests[1 - canceled]) == TBS_SUCCESS);
  }
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

namespace {

int cancel_descriptor = -1;

void cancel_from_handler(int) {
  const UINT64 one = 1;
  (void)!::write(cancel_descriptor, &one, sizeof one);
}

}  // namespace

TEST_CASE("a signal handler cancels the command that its thread waits for") {
  TestBench bench;
  TBS_HCONTEXT context = open_context(bench);
  REQUIRE(Tbsx_Get_Cancel_Descriptor(context, &cancel_descriptor) == TBS_SUCCESS);
  struct sigaction action{};
  action.sa_handler = cancel_from_handler;
  struct sigaction before{};
  REQUIRE(::sigaction(SIGUSR1, &action, &before) == 0);
  bench.freeze_tpm();
  TBS_RESULT result = TBS_SUCCESS;
  std::jthread thread([&] { result = get_random(context); });
  const std::uint64_t number = number_of(context);
  CHECK(eventually([&] {
    const auto entry = bench.entry_of(number);
    return entry && entry->running == 1;
  }));
  CHECK(::pthread_kill(thread.native_handle(), SIGUSR1) == 0);
  thread.join();
  CHECK(result == TBS_E_COMMAND_CANCELED);
  bench.thaw_tpm();
  REQUIRE(get_random(context) == TBS_SUCCESS);
  REQUIRE(::sigaction(SIGUSR1, &before, nullptr) == 0);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

TEST_CASE("tbs.hpp: a stop and a time-out end a command on the TPM, and the context goes on") {
  TestBench bench;
  const auto tpm = tbs::context::open({.socket = bench.socket().c_str()});
  REQUIRE(tpm.has_value());
  const auto command = tpm::get_random(8);
  bench.freeze_tpm();
  REQUIRE(tpm->submit(command, {.timeout = std::chrono::milliseconds(50)}).error().timed_out());
  std::stop_source stop;
  std::optional<tbs::result<std::vector<std::uint8_t>>> ended;
  std::jthread thread([&] { ended = tpm->submit(command, stop.get_token()); });
  CHECK(eventually([&] {
    const auto entry = bench.entry_of(tpm->info()->number);
    return entry && entry->queued + (entry->running == 1 ? 1 : 0) == 1;  // 2 is the one before
  }));
  stop.request_stop();
  thread.join();
  CHECK(ended->error().canceled());
  bench.thaw_tpm();
  REQUIRE(tpm->submit(command)->size() == 20);
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

TEST_CASE("a daemon that dies ends every call, and the context is there for the next one") {
  TestBench bench;
  TBS_HCONTEXT context = open_context(bench);
  const std::uint64_t number = number_of(context);
  Submitters submitters(bench, context, 3);
  bench.daemon().program().signal(SIGKILL);
  REQUIRE(submitters.results() == std::vector<TBS_RESULT>(3, TBS_E_IOERROR));
  REQUIRE(bench.daemon().wait_for_exit() == 128 + SIGKILL);
  for (int i = 0; i < 3; ++i) REQUIRE(get_random(context) == TBS_E_SERVICE_NOT_RUNNING);
  REQUIRE(Tbsip_Cancel_Commands(context) == TBS_SUCCESS);
  bench.thaw_tpm();
  bench.restart_daemon();
  // The number is of the connection, and that is a new one.
  REQUIRE(number_of(context) == number);
  REQUIRE(get_random(context) == TBS_SUCCESS);
  REQUIRE(bench.entry_of(number_of(context)));
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

TEST_CASE("a daemon that stops in good order says so to every call, once") {
  TestBench bench;
  TBS_HCONTEXT context = open_context(bench);
  Submitters submitters(bench, context, 40);  // more than the window holds
  bench.daemon().program().signal(SIGTERM);
  // The TPM stands still, so the daemon is still there, but for nobody.
  REQUIRE(submitters.results() == std::vector<TBS_RESULT>(40, TBS_E_SERVICE_NOT_RUNNING));
  REQUIRE(get_random(context) == TBS_E_SERVICE_NOT_RUNNING);
  bench.thaw_tpm();
  REQUIRE(bench.daemon().wait_for_exit() == 0);
  REQUIRE(get_random(context) == TBS_E_SERVICE_NOT_RUNNING);
  bench.restart_daemon();
  REQUIRE(get_random(context) == TBS_SUCCESS);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

TEST_CASE("what a program had on a lost connection is nothing of the new one") {
  TestBench bench;
  TBS_HCONTEXT context = open_context(bench);
  const auto key = run(context, tpm::create_primary_ecc());
  REQUIRE(tpm::code(key) == tpm::kSuccess);
  REQUIRE(tpm::handle(key) == tpm::kTransientFirst);
  const auto session = run(context, tpm::start_auth_session(TPM2_SE_POLICY));
  REQUIRE(tpm::code(session) == tpm::kSuccess);
  bench.stop_daemon();
  bench.restart_daemon();
  // Unknown, before and after there is something new of the program's, and of another.
  RawClient other = bench.context();
  REQUIRE(tpm::code(other.response(tpm::create_primary_ecc())) == tpm::kSuccess);
  const auto unknown = run(context, tpm::read_public(tpm::kTransientFirst));
  REQUIRE(tpm::code(unknown) != tpm::kSuccess);
  const auto next = run(context, tpm::create_primary_ecc());
  REQUIRE(tpm::code(next) == tpm::kSuccess);
  REQUIRE(tpm::handle(next) == tpm::kTransientFirst + 0x10000);
  REQUIRE(run(context, tpm::read_public(tpm::kTransientFirst)) == unknown);
  REQUIRE(tpm::code(run(context, tpm::read_public(tpm::handle(next)))) == tpm::kSuccess);
  // To flush what is gone changes nothing, also of the session whose number is another's by now.
  const auto others = other.response(tpm::start_auth_session(TPM2_SE_POLICY));
  REQUIRE(tpm::handle(others) == tpm::handle(session));
  REQUIRE(tpm::code(run(context, tpm::flush_context(tpm::kTransientFirst))) == tpm::kSuccess);
  REQUIRE(tpm::code(run(context, tpm::flush_context(tpm::handle(session)))) == tpm::kSuccess);
  REQUIRE(tpm::code(run(context, tpm::read_public(tpm::handle(next)))) == tpm::kSuccess);
  REQUIRE(tpm::code(other.response(tpm::flush_context(tpm::handle(others)))) == tpm::kSuccess);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

TEST_CASE("a program that polls goes on with the same descriptor") {
  TestBench bench;
  TBS_HCONTEXT context = open_context(bench);
  int descriptor = -1;
  REQUIRE(Tbsx_Get_Poll_Descriptor(context, &descriptor) == TBS_SUCCESS);
  const auto begin = [&] {
    const auto command = tpm::get_random(8);
    TBSX_REQUEST request = 0;
    const TBS_RESULT begun = Tbsx_Submit_Begin(context, 0, TBS_COMMAND_PRIORITY_NORMAL,
                                               command.data(), UINT32(command.size()), &request);
    return begun == TBS_SUCCESS ? request : 0;
  };
  const auto take = [&](TBSX_REQUEST request) {
    pollfd entry{.fd = descriptor, .events = POLLIN, .revents = 0};
    if (::poll(&entry, 1, 60'000) != 1) return TBSX_E_PENDING;
    BYTE response[64];
    UINT32 size = sizeof response;
    return Tbsx_Submit_Result(context, request, response, &size, 0);
  };
  bench.freeze_tpm();
  const TBSX_REQUEST lost = begin();
  REQUIRE(lost != 0);
  bench.daemon().program().signal(SIGKILL);
  REQUIRE(take(lost) == TBS_E_IOERROR);
  // A descriptor that stayed readable would keep an idle program busy.
  pollfd entry{.fd = descriptor, .events = POLLIN, .revents = 0};
  REQUIRE(::poll(&entry, 1, 0) == 0);
  bench.daemon().wait_for_exit();
  REQUIRE(begin() == 0);
  bench.thaw_tpm();
  bench.restart_daemon();
  REQUIRE(::poll(&entry, 1, 0) == 0);
  const TBSX_REQUEST request = begin();
  REQUIRE(request > lost);
  TBS_RESULT result = TBSX_E_PENDING;
  while (result == TBSX_E_PENDING) result = take(request);
  REQUIRE(result == TBS_SUCCESS);
  int same = -1;
  REQUIRE(Tbsx_Get_Poll_Descriptor(context, &same) == TBS_SUCCESS);
  REQUIRE(same == descriptor);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

TEST_CASE("threads that never stop see a daemon come and go, and nothing but documented codes") {
  TestBench bench;
  TBS_HCONTEXT context = open_context(bench);
  std::atomic<bool> done = false;
  std::atomic<int> answered = 0;
  std::atomic<int> others = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      while (!done) {
        const TBS_RESULT result = get_random(context);
        if (result == TBS_SUCCESS) ++answered;
        if (result == TBS_SUCCESS || result == TBS_E_IOERROR) continue;
        if (result != TBS_E_SERVICE_NOT_RUNNING) ++others;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
  }
  for (int round = 0; round < 6; ++round) {
    const int before = answered;
    CHECK(eventually([&] { return answered > before + 20; }));
    if (round % 2 == 0) {
      bench.stop_daemon();
    } else {
      bench.daemon().program().signal(SIGKILL);
      bench.daemon().wait_for_exit();
    }
    bench.restart_daemon();
  }
  const int before = answered;
  CHECK(eventually([&] { return answered > before + 20; }));
  done = true;
  threads.clear();
  CHECK(others == 0);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

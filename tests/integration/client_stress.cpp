// Many threads on few contexts: eight submit on one, one cancels it, two begin and take, two open
// and close contexts of their own, one forks children that use what they inherited. Beside them,
// six threads use and cancel a context whose daemon lets every connection go after a while. Made
// for the thread sanitizer; without it, a check that every command gets its own answer and nothing
// hangs.
//
// usage: client_stress [ROUNDS]

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <thread>
#include <vector>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/include/tbs/tbsx.h"
#include "tests/support/fake_daemon.h"

using namespace tbs;
using test::Peer;
using test::tpm_message;

namespace {

std::atomic<int> failures = 0;

void check(bool holds, const char* what) {
  if (holds) return;
  if (++failures < 20) std::fprintf(stderr, "wrong: %s\n", what);
}

// A daemon that keeps a few commands back, so that there is always something to cancel.
void lazy(Peer& peer) {
  if (!peer.handshake(test::usual_terms())) return;
  std::deque<std::pair<std::uint64_t, proto::Buffer>> kept;
  while (const auto frame = peer.next()) {
    if (frame->type == proto::Type::Cancel) {
      for (const auto& [id, command] : kept) {
        peer.send(id, proto::Result{.status = proto::Status::CommandCanceled, .response = {}});
      }
      kept.clear();
      peer.send(frame->request_id, proto::CancelReply{});
      continue;
    }
    const auto command = proto::decode<proto::Submit>(frame->payload)->command;
    kept.emplace_back(frame->request_id, proto::Buffer(command.begin(), command.end()));
    if (kept.size() < 4) continue;
    peer.send(kept.front().first, proto::Result{.response = kept.front().second});
    kept.pop_front();
  }
}

// A daemon that leaves after some commands: idle, with commands outstanding, or in the middle of an
// answer.
void fickle(Peer& peer) {
  static std::atomic<unsigned> connections = 0;
  const unsigned number = ++connections;
  if (!peer.handshake(test::usual_terms())) return;
  for (unsigned left = number % 23; left > 0; --left) {
    const auto frame = peer.next();
    if (!frame) return;
    if (frame->type == proto::Type::Cancel) {
      peer.send(frame->request_id, proto::CancelReply{});
      continue;
    }
    const auto command = proto::decode<proto::Submit>(frame->payload)->command;
    proto::Buffer answer;
    proto::append_frame(answer, frame->request_id, proto::Result{.response = command});
    const bool whole = left > 1 || number % 3 != 0;
    peer.send_raw(proto::Bytes(answer).first(whole ? answer.size() : answer.size() / 2));
  }
}

TBS_HCONTEXT connect() {
  TBS_CONTEXT_PARAMS2 params;
  params.version = TBS_CONTEXT_VERSION_TWO;
  params.asUINT32 = 4;
  TBS_HCONTEXT context = nullptr;
  const TBS_RESULT result =
      Tbsi_Context_Create(reinterpret_cast<PCTBS_CONTEXT_PARAMS>(&params), &context);
  check(result == TBS_SUCCESS, "a context is created");
  return context;
}

TBS_RESULT submit(TBS_HCONTEXT context, std::uint32_t code, std::size_t length) {
  const auto command = tpm_message(code, length);
  proto::Buffer response(4096);
  auto size = static_cast<UINT32>(response.size());
  const TBS_RESULT result =
      Tbsip_Submit_Command(context, 0, code, command.data(), static_cast<UINT32>(command.size()),
                           response.data(), &size);
  response.resize(result == TBS_SUCCESS ? size : 0);
  if (result == TBS_SUCCESS) check(response == command, "the response is that of the command");
  return result;
}

// How a command may end whose daemon stays, and whose daemon comes and goes.
bool ends_well(TBS_RESULT result, bool daemon_goes) {
  if (result == TBS_SUCCESS || result == TBS_E_COMMAND_CANCELED) return true;
  return daemon_goes && (result == TBS_E_IOERROR || result == TBS_E_SERVICE_NOT_RUNNING);
}

void submit_many(TBS_HCONTEXT context, std::uint32_t thread, int rounds, bool daemon_goes) {
  int answered = 0;
  for (int round = 0; round < rounds; ++round) {
    const std::uint32_t code = thread << 20 | static_cast<std::uint32_t>(round);
    const TBS_RESULT result = submit(context, code, 10 + code % 700);
    check(ends_well(result, daemon_goes), "a shared submit ends well");
    answered += result == TBS_SUCCESS ? 1 : 0;
  }
  check(!daemon_goes || answered > rounds / 10, "a daemon that comes back answers");
}

void begin_and_take(TBS_HCONTEXT context, std::uint32_t thread, int rounds, bool daemon_goes) {
  int descriptor = -1;
  check(Tbsx_Get_Poll_Descriptor(context, &descriptor) == TBS_SUCCESS, "a poll descriptor");
  for (int round = 0; round < rounds; ++round) {
    const auto command = tpm_message(thread << 20 | static_cast<std::uint32_t>(round), 40);
    TBSX_REQUEST request = 0;
    const TBS_RESULT begun = Tbsx_Submit_Begin(context, 0, 0, command.data(), 40, &request);
    if (begun == TBS_E_TOO_MANY_RESOURCES) continue;
    check(ends_well(begun, daemon_goes), "a command is begun");
    if (begun != TBS_SUCCESS) continue;
    BYTE response[64];
    UINT32 size = sizeof response;
    TBS_RESULT result = TBSX_E_PENDING;
    while (result == TBSX_E_PENDING) {
      pollfd entry{.fd = descriptor, .events = POLLIN, .revents = 0};
      ::poll(&entry, 1, 50);
      result = Tbsx_Submit_Result(context, request, response, &size, 0);
    }
    check(ends_well(result, daemon_goes), "a begun command ends well");
    if (result == TBS_SUCCESS) {
      check(size == 40 && std::equal(command.begin(), command.end(), response), "its response");
    }
  }
}

// Each context is closed by another thread while its own still submits.
void open_and_close(int rounds) {
  for (int round = 0; round < rounds / 20 + 1; ++round) {
    TBS_HCONTEXT context = connect();
    std::thread user([context] {
      TBS_RESULT result = TBS_SUCCESS;
      while (result == TBS_SUCCESS) result = submit(context, 3, 30);
      check(result == TBS_E_INVALID_CONTEXT || result == TBS_E_COMMAND_CANCELED,
            "a submit on a closed context");
    });
    std::this_thread::sleep_for(std::chrono::microseconds(round * 37 % 900));
    check(Tbsip_Context_Close(context) == TBS_SUCCESS, "a context is closed");
    user.join();
    check(Tbsip_Context_Close(context) == TBS_E_INVALID_CONTEXT, "and only once");
  }
}

void fork_children(TBS_HCONTEXT inherited, int rounds) {
  for (int round = 0; round < rounds / 50 + 1; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      const bool dead = submit(inherited, 1, 20) == TBS_E_INVALID_CONTEXT &&
                        Tbsip_Context_Close(inherited) == TBS_E_INVALID_CONTEXT;
      ::_exit(dead ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a child finds the context dead");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 1000;
  test::FakeDaemon daemon(lazy);
  ::setenv("TBS_SOCKET", daemon.path().c_str(), 1);
  TBS_HCONTEXT shared = connect();
  test::FakeDaemon fickle_daemon(fickle);
  (void)Tbsx_Set_Socket(fickle_daemon.path().c_str());
  TBS_HCONTEXT lasting = connect();

  std::atomic<bool> done = false;
  std::thread canceller([&] {
    for (unsigned round = 0; !done; ++round) {
      check(Tbsip_Cancel_Commands(shared) == TBS_SUCCESS, "a cancel succeeds");
      if (round % 16 == 0) {
        const TBS_RESULT result = Tbsip_Cancel_Commands(lasting);
        check(result == TBS_SUCCESS || result == TBS_E_SERVICE_NOT_RUNNING, "one is understood");
      }
      std::this_thread::sleep_for(std::chrono::microseconds(300));
    }
  });
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < 8; ++t) {
    threads.emplace_back(submit_many, shared, t, rounds, false);
  }
  for (std::uint32_t t = 8; t < 10; ++t) {
    threads.emplace_back(begin_and_take, shared, t, rounds, false);
  }
  for (std::uint32_t t = 10; t < 14; ++t) {
    threads.emplace_back(submit_many, lasting, t, rounds, true);
  }
  for (std::uint32_t t = 14; t < 16; ++t) {
    threads.emplace_back(begin_and_take, lasting, t, rounds, true);
  }
  test::FakeDaemon prompt(test::echo);
  (void)Tbsx_Set_Socket(prompt.path().c_str());
  threads.emplace_back(open_and_close, rounds);
  threads.emplace_back(open_and_close, rounds);
  threads.emplace_back(fork_children, shared, rounds);
  for (auto& thread : threads) thread.join();
  done = true;
  canceller.join();
  check(Tbsip_Context_Close(shared) == TBS_SUCCESS, "the shared context is closed");
  check(Tbsip_Context_Close(lasting) == TBS_SUCCESS, "and the one whose daemon came and went");
  std::printf("%d rounds, %d failures\n", rounds, failures.load());
  return failures == 0 ? 0 : 1;
}

// The TCTI module as tpm2-tss sees it, through the functions of its context. The daemon is played:
// what is tested is the state machine, the timeouts and what happens when things break.
// tcti_esys.cpp drives the module with ESYS against tbsd.

#include <atomic>
#include <cstdlib>
#include <optional>
#include <thread>
#include <vector>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tss2/tss2_tcti.h>

#include "client/tcti/tss2_tcti_tbs.h"
#include "tests/support/catch2.h"
#include "tests/support/fake_daemon.h"

using namespace tbs;
using proto::Status;
using test::FakeDaemon;
using test::Peer;
using test::tpm_message;

extern "C" const TSS2_TCTI_INFO* Tss2_Tcti_Info(void);

namespace {

class Tcti {
 public:
  explicit Tcti(const std::string& configuration) {
    std::size_t size = 0;
    REQUIRE(Tss2_Tcti_Tbs_Init(nullptr, &size, nullptr) == TSS2_RC_SUCCESS);
    memory_.resize(size);
    result_ = Tss2_Tcti_Tbs_Init(context(), &size, configuration.c_str());
  }
  ~Tcti() { finalize(); }
  Tcti(const Tcti&) = delete;
  Tcti& operator=(const Tcti&) = delete;

  TSS2_TCTI_CONTEXT* context() { return reinterpret_cast<TSS2_TCTI_CONTEXT*>(memory_.data()); }
  [[nodiscard]] TSS2_RC result() const { return result_; }
  void finalize() {
    if (result_ == TSS2_RC_SUCCESS) Tss2_Tcti_Finalize(context());
    result_ = TSS2_TCTI_RC_BAD_CONTEXT;
  }

  TSS2_RC transmit(const proto::Buffer& command) {
    return Tss2_Tcti_Transmit(context(), command.size(), command.data());
  }
  TSS2_RC receive(proto::Buffer& response, std::int32_t timeout = TSS2_TCTI_TIMEOUT_BLOCK) {
    std::size_t size = response.size();
    const TSS2_RC result = Tss2_Tcti_Receive(context(), &size, response.data(), timeout);
    if (result == TSS2_RC_SUCCESS) response.resize(size);
    return result;
  }
  TSS2_RC receive_size(std::size_t& size, std::int32_t timeout = TSS2_TCTI_TIMEOUT_BLOCK) {
    return Tss2_Tcti_Receive(context(), &size, nullptr, timeout);
  }
  bool readable(int timeout) {
    TSS2_TCTI_POLL_HANDLE handle{};
    std::size_t count = 1;
    if (Tss2_Tcti_GetPollHandles(context(), &handle, &count) != TSS2_RC_SUCCESS) return false;
    return count == 1 && ::poll(&handle, 1, timeout) == 1;
  }

 private:
  std::vector<std::uint64_t> memory_ = std::vector<std::uint64_t>(64);
  TSS2_RC result_ = TSS2_TCTI_RC_BAD_CONTEXT;
};

// Answers each command with itself once `answer` is set; a cancel cancels.
struct Gate {
  std::atomic<bool> answer = false;

  void operator()(Peer& peer) {
    if (!peer.handshake(test::usual_terms())) return;
    while (const auto frame = peer.next()) {
      if (frame->type != proto::Type::Submit) return;
      const std::uint64_t id = frame->request_id;
      const auto bytes = proto::decode<proto::Submit>(frame->payload)->command;
      const proto::Buffer command(bytes.begin(), bytes.end());
      if (!answer && code_of(command) == 0xca) {
        const auto cancel = peer.expect(proto::Type::Cancel);
        peer.send(id, proto::Result{.status = Status::CommandCanceled, .response = {}});
        peer.send(cancel, proto::CancelReply{});
        continue;
      }
      while (!answer) std::this_thread::yield();
      peer.send(id, proto::Result{.response = command});
    }
  }

  static std::uint32_t code_of(proto::Bytes command) { return test::code_of(command); }
};

const TSS2_RC kCanceled = TPM2_RC_CANCELED;

}  // namespace

TEST_CASE("the module describes itself") {
  const TSS2_TCTI_INFO* info = Tss2_Tcti_Info();
  REQUIRE(info->version == 2);
  REQUIRE(std::string(info->name) == "tbs");
  REQUIRE(info->init == &Tss2_Tcti_Tbs_Init);
}

TEST_CASE("initialization: sizes, configuration, and what the daemon says") {
  std::size_t size = 0;
  REQUIRE(Tss2_Tcti_Tbs_Init(nullptr, nullptr, nullptr) == TSS2_TCTI_RC_BAD_VALUE);
  REQUIRE(Tss2_Tcti_Tbs_Init(nullptr, &size, nullptr) == TSS2_RC_SUCCESS);
  std::vector<std::uint64_t> memory(size);
  auto* context = reinterpret_cast<TSS2_TCTI_CONTEXT*>(memory.data());
  std::size_t small = size - 1;
  REQUIRE(Tss2_Tcti_Tbs_Init(context, &small, nullptr) == TSS2_TCTI_RC_INSUFFICIENT_BUFFER);
  REQUIRE(Tcti("priority=urgent").result() == TSS2_TCTI_RC_BAD_VALUE);
  REQUIRE(Tcti("/nonexistent/socket").result() == TSS2_TCTI_RC_NO_CONNECTION);
  for (const auto& [status, code] : std::vector<std::pair<Status, TSS2_RC>>{
           {Status::TpmNotFound, TSS2_TCTI_RC_NOT_SUPPORTED},
           {Status::ServiceStartPending, TSS2_TCTI_RC_TRY_AGAIN},
           {Status::AccessDenied, TSS2_TCTI_RC_NOT_PERMITTED},
           {Status::TooManyContexts, TSS2_TCTI_RC_MEMORY}}) {
    FakeDaemon daemon([refusal = status](Peer& peer) { peer.handshake({.status = refusal}); });
    REQUIRE(Tcti(daemon.path()).result() == code);
  }
  FakeDaemon daemon(test::echo);
  ::setenv("TBS_SOCKET", daemon.path().c_str(), 1);
  REQUIRE(Tss2_Tcti_Tbs_Init(context, nullptr, nullptr) == TSS2_RC_SUCCESS);
  Tss2_Tcti_Finalize(context);
  ::unsetenv("TBS_SOCKET");
}

TEST_CASE("a context that is none is refused") {
  FakeDaemon daemon(test::echo);
  Tcti tcti(daemon.path());
  TSS2_TCTI_CONTEXT_COMMON_V2 functions =
      *reinterpret_cast<TSS2_TCTI_CONTEXT_COMMON_V2*>(tcti.context());
  tcti.finalize();
  std::size_t size = 0;
  for (TSS2_TCTI_CONTEXT* wrong : {static_cast<TSS2_TCTI_CONTEXT*>(nullptr), tcti.context()}) {
    REQUIRE(functions.v1.transmit(wrong, 10, tpm_message(1).data()) == TSS2_TCTI_RC_BAD_CONTEXT);
    REQUIRE(functions.v1.receive(wrong, &size, nullptr, 0) == TSS2_TCTI_RC_BAD_CONTEXT);
    REQUIRE(functions.v1.cancel(wrong) == TSS2_TCTI_RC_BAD_CONTEXT);
    REQUIRE(functions.v1.getPollHandles(wrong, nullptr, &size) == TSS2_TCTI_RC_BAD_CONTEXT);
    REQUIRE(functions.v1.setLocality(wrong, 0) == TSS2_TCTI_RC_BAD_CONTEXT);
    REQUIRE(functions.makeSticky(wrong, nullptr, 0) == TSS2_TCTI_RC_BAD_CONTEXT);
    functions.v1.finalize(wrong);
  }
}

TEST_CASE("the state machine: what may follow what") {
  Gate gate;
  FakeDaemon daemon(std::ref(gate));
  Tcti tcti(daemon.path());
  auto* const context = tcti.context();
  proto::Buffer response(64);
  const auto command = tpm_message(1, 20);

  REQUIRE(tcti.receive(response, 0) == TSS2_TCTI_RC_BAD_SEQUENCE);
  REQUIRE(Tss2_Tcti_Cancel(context) == TSS2_TCTI_RC_BAD_SEQUENCE);
  REQUIRE(Tss2_Tcti_Transmit(context, 20, nullptr) == TSS2_TCTI_RC_BAD_REFERENCE);
  REQUIRE(Tss2_Tcti_Transmit(context, 19, command.data()) == TSS2_TCTI_RC_BAD_VALUE);
  REQUIRE(Tss2_Tcti_Transmit(context, 4, command.data()) == TSS2_TCTI_RC_BAD_VALUE);
  REQUIRE(tcti.transmit(tpm_message(1, 4097)) == TSS2_TCTI_RC_BAD_VALUE);
  REQUIRE(Tss2_Tcti_SetLocality(context, 5) == TSS2_TCTI_RC_BAD_VALUE);
  REQUIRE(Tss2_Tcti_SetLocality(context, 3) == TSS2_RC_SUCCESS);
  TPM2_HANDLE handle = 0x80000000;
  REQUIRE(Tss2_Tcti_MakeSticky(context, nullptr, 1) == TSS2_TCTI_RC_BAD_REFERENCE);
  REQUIRE(Tss2_Tcti_MakeSticky(context, &handle, 2) == TSS2_TCTI_RC_BAD_VALUE);

  REQUIRE(tcti.transmit(command) == TSS2_RC_SUCCESS);
  REQUIRE(tcti.transmit(command) == TSS2_TCTI_RC_BAD_SEQUENCE);
  REQUIRE(Tss2_Tcti_SetLocality(context, 0) == TSS2_TCTI_RC_BAD_SEQUENCE);
  REQUIRE(Tss2_Tcti_MakeSticky(context, &handle, 1) == TSS2_TCTI_RC_BAD_SEQUENCE);
  REQUIRE(Tss2_Tcti_Receive(context, nullptr, response.data(), 0) == TSS2_TCTI_RC_BAD_REFERENCE);
  REQUIRE(tcti.receive(response, -2) == TSS2_TCTI_RC_BAD_VALUE);
  REQUIRE(tcti.receive(response, TSS2_TCTI_TIMEOUT_NONE) == TSS2_TCTI_RC_TRY_AGAIN);
  REQUIRE(tcti.receive(response, 10) == TSS2_TCTI_RC_TRY_AGAIN);
  gate.answer = true;
  std::size_t size = 0;
  REQUIRE(tcti.receive_size(size) == TSS2_RC_SUCCESS);
  REQUIRE(size == 20);
  REQUIRE(tcti.transmit(command) == TSS2_TCTI_RC_BAD_SEQUENCE);
  proto::Buffer small(19);
  REQUIRE(tcti.receive(small) == TSS2_TCTI_RC_INSUFFICIENT_BUFFER);
  REQUIRE(tcti.receive(response) == TSS2_RC_SUCCESS);
  REQUIRE(response == command);
  REQUIRE(tcti.receive(response, 0) == TSS2_TCTI_RC_BAD_SEQUENCE);
  REQUIRE(tcti.transmit(command) == TSS2_RC_SUCCESS);
  REQUIRE(tcti.receive(response, 10000) == TSS2_RC_SUCCESS);
}

TEST_CASE("locality and priority travel with the command") {
  std::atomic<std::uint64_t> seen = 0;
  FakeDaemon daemon([&](Peer& peer) {
    if (!peer.handshake(test::usual_terms())) return;
    while (const auto frame = peer.next()) {
      const auto submit = proto::decode<proto::Submit>(frame->payload);
      seen = std::uint64_t{submit->locality} << 32 | submit->priority;
      peer.send(frame->request_id, proto::Result{.response = submit->command});
    }
  });
  Tcti tcti("socket=" + daemon.path() + ",priority=high");
  REQUIRE(tcti.result() == TSS2_RC_SUCCESS);
  REQUIRE(Tss2_Tcti_SetLocality(tcti.context(), 4) == TSS2_RC_SUCCESS);
  proto::Buffer response(64);
  REQUIRE(tcti.transmit(tpm_message(1)) == TSS2_RC_SUCCESS);
  REQUIRE(tcti.receive(response) == TSS2_RC_SUCCESS);
  REQUIRE(seen == (std::uint64_t{4} << 32 | 300));
}

TEST_CASE("makeSticky: what the daemon says about it") {
  std::vector<proto::MakeSticky> seen;
  FakeDaemon daemon([&](Peer& peer) {
    if (!peer.handshake(test::usual_terms())) return;
    for (const Status status :
         {Status::Success, Status::Success, Status::BadParameter, Status::TooManyResources}) {
      const auto frame = peer.next();
      if (!frame) return;
      seen.push_back(proto::decode<proto::MakeSticky>(frame->payload).value());
      peer.send(frame->request_id, proto::MakeStickyReply{.status = status});
    }
    peer.next();  // and leaves without an answer
  });
  Tcti tcti(daemon.path());
  TPM2_HANDLE handle = 0x80000003;
  const auto make_sticky = [&](std::uint8_t sticky) {
    return Tss2_Tcti_MakeSticky(tcti.context(), &handle, sticky);
  };
  REQUIRE(make_sticky(1) == TSS2_RC_SUCCESS);
  REQUIRE(make_sticky(0) == TSS2_RC_SUCCESS);
  REQUIRE(make_sticky(1) == TSS2_TCTI_RC_BAD_VALUE);
  REQUIRE(make_sticky(1) == TSS2_TCTI_RC_MEMORY);
  REQUIRE(make_sticky(1) == TSS2_TCTI_RC_NO_CONNECTION);
  REQUIRE(handle == 0x80000003);
  REQUIRE(seen.size() == 4);
  REQUIRE(seen[0].handle == 0x80000003);
  REQUIRE(seen[0].sticky == 1);
  REQUIRE(seen[1].sticky == 0);
}

TEST_CASE("poll handles: one, readable when the response is there") {
  Gate gate;
  FakeDaemon daemon(std::ref(gate));
  Tcti tcti(daemon.path());
  std::size_t count = 0;
  TSS2_TCTI_POLL_HANDLE handle{};
  REQUIRE(Tss2_Tcti_GetPollHandles(tcti.context(), nullptr, nullptr) == TSS2_TCTI_RC_BAD_REFERENCE);
  REQUIRE(Tss2_Tcti_GetPollHandles(tcti.context(), &handle, &count) ==
          TSS2_TCTI_RC_INSUFFICIENT_BUFFER);
  REQUIRE(count == 1);
  REQUIRE(Tss2_Tcti_GetPollHandles(tcti.context(), nullptr, &count) == TSS2_RC_SUCCESS);
  REQUIRE(count == 1);
  REQUIRE(tcti.transmit(tpm_message(1)) == TSS2_RC_SUCCESS);
  REQUIRE_FALSE(tcti.readable(0));
  gate.answer = true;
  REQUIRE(tcti.readable(10000));
  std::size_t size = 0;
  REQUIRE(tcti.receive_size(size, 0) == TSS2_RC_SUCCESS);
  REQUIRE(tcti.readable(0));
  proto::Buffer response(64);
  REQUIRE(tcti.receive(response, 0) == TSS2_RC_SUCCESS);
  REQUIRE_FALSE(tcti.readable(0));
}

TEST_CASE("a cancel, also from another thread, gives the response TPM_RC_CANCELED") {
  Gate gate;
  FakeDaemon daemon(std::ref(gate));
  Tcti tcti(daemon.path());
  proto::Buffer response(64);
  REQUIRE(tcti.transmit(tpm_message(0xca)) == TSS2_RC_SUCCESS);
  REQUIRE(Tss2_Tcti_Cancel(tcti.context()) == TSS2_RC_SUCCESS);
  std::size_t size = 0;
  REQUIRE(tcti.receive_size(size) == TSS2_RC_SUCCESS);
  REQUIRE(size == 10);
  proto::Buffer small(9);
  REQUIRE(tcti.receive(small) == TSS2_TCTI_RC_INSUFFICIENT_BUFFER);
  REQUIRE(tcti.receive(response) == TSS2_RC_SUCCESS);
  REQUIRE(response == tpm_message(kCanceled, 10));

  response.resize(64);
  REQUIRE(tcti.transmit(tpm_message(0xca)) == TSS2_RC_SUCCESS);
  std::thread canceller([&] {
    ::usleep(20000);
    (void)Tss2_Tcti_Cancel(tcti.context());
  });
  REQUIRE(tcti.receive(response) == TSS2_RC_SUCCESS);
  canceller.join();
  REQUIRE(response == tpm_message(kCanceled, 10));

  gate.answer = true;
  response.resize(64);
  REQUIRE(tcti.transmit(tpm_message(1)) == TSS2_RC_SUCCESS);
  REQUIRE(tcti.receive(response) == TSS2_RC_SUCCESS);
  REQUIRE(response == tpm_message(1));
}

TEST_CASE("a command that fails leaves the connection usable") {
  FakeDaemon daemon([](Peer& peer) {
    if (!peer.handshake(test::usual_terms())) return;
    peer.send(peer.expect(proto::Type::Submit),
              proto::Result{.status = Status::IoError, .response = {}});
    peer.send(peer.expect(proto::Type::Submit), proto::Result{.response = tpm_message(0)});
    peer.next();
  });
  Tcti tcti(daemon.path());
  proto::Buffer response(64);
  REQUIRE(tcti.transmit(tpm_message(1)) == TSS2_RC_SUCCESS);
  REQUIRE(tcti.receive(response) == TSS2_RC_SUCCESS);
  REQUIRE(response == tpm_message(TSS2_RESMGR_RC_LAYER | TSS2_BASE_RC_IO_ERROR, 10));
  response.resize(64);
  REQUIRE(tcti.transmit(tpm_message(1)) == TSS2_RC_SUCCESS);
  REQUIRE(tcti.receive(response) == TSS2_RC_SUCCESS);
  REQUIRE(response == tpm_message(0));
}

TEST_CASE("a command of a lost connection has a response, and the next a new connection") {
  std::atomic<int> connections = 0;
  FakeDaemon daemon([&](Peer& peer) {
    if (++connections > 1) return test::echo(peer);
    peer.handshake(test::usual_terms());
    peer.next();
  });
  Tcti tcti(daemon.path());
  proto::Buffer response(64);
  REQUIRE(tcti.transmit(tpm_message(1)) == TSS2_RC_SUCCESS);
  REQUIRE(tcti.readable(10000));
  REQUIRE(tcti.receive(response) == TSS2_RC_SUCCESS);
  // Nobody knows whether the TPM has carried it out.
  REQUIRE(response == tpm_message(TSS2_RESMGR_RC_LAYER | TSS2_BASE_RC_IO_ERROR, 10));
  REQUIRE(tcti.receive(response) == TSS2_TCTI_RC_BAD_SEQUENCE);
  REQUIRE_FALSE(tcti.readable(0));
  response.resize(64);
  REQUIRE(tcti.transmit(tpm_message(2)) == TSS2_RC_SUCCESS);
  REQUIRE(tcti.receive(response) == TSS2_RC_SUCCESS);
  REQUIRE(response == tpm_message(2));
  REQUIRE(connections == 2);
}

TEST_CASE("while there is no daemon, each command has a response that says so") {
  std::optional<FakeDaemon> daemon(std::in_place, test::echo);
  Tcti tcti(daemon->path());
  proto::Buffer response(64);
  REQUIRE(tcti.transmit(tpm_message(1)) == TSS2_RC_SUCCESS);
  REQUIRE(tcti.receive(response) == TSS2_RC_SUCCESS);
  TSS2_TCTI_POLL_HANDLE before{};
  TSS2_TCTI_POLL_HANDLE after{};
  std::size_t count = 1;
  REQUIRE(Tss2_Tcti_GetPollHandles(tcti.context(), &before, &count) == TSS2_RC_SUCCESS);
  daemon.reset();
  REQUIRE_FALSE(tcti.readable(0));
  for (int i = 0; i < 3; ++i) {
    REQUIRE(tcti.transmit(tpm_message(1)) == TSS2_RC_SUCCESS);
    REQUIRE(tcti.transmit(tpm_message(1)) == TSS2_TCTI_RC_BAD_SEQUENCE);
    REQUIRE(tcti.readable(0));
    REQUIRE(Tss2_Tcti_Cancel(tcti.context()) == TSS2_RC_SUCCESS);
    std::size_t size = 0;
    REQUIRE(tcti.receive_size(size, 0) == TSS2_RC_SUCCESS);
    REQUIRE(size == 10);
    response.resize(64);
    REQUIRE(tcti.receive(response, 0) == TSS2_RC_SUCCESS);
    REQUIRE(response == tpm_message(TSS2_RESMGR_RC_LAYER | TSS2_BASE_RC_NO_CONNECTION, 10));
    REQUIRE_FALSE(tcti.readable(0));
  }
  REQUIRE(Tss2_Tcti_GetPollHandles(tcti.context(), &after, &count) == TSS2_RC_SUCCESS);
  REQUIRE(after.fd == before.fd);
  TPM2_HANDLE handle = 0x80000000;
  REQUIRE(Tss2_Tcti_MakeSticky(tcti.context(), &handle, 1) == TSS2_TCTI_RC_NO_CONNECTION);
}

TEST_CASE("a forked child has a connection of its own, and the parent's goes on") {
  std::atomic<int> connections = 0;
  Gate gate;
  FakeDaemon daemon([&](Peer& peer) {
    ++connections;
    gate(peer);
  });
  Tcti tcti(daemon.path());
  REQUIRE(tcti.transmit(tpm_message(1, 30)) == TSS2_RC_SUCCESS);
  const pid_t child = ::fork();
  if (child == 0) {
    proto::Buffer response(64);
    // What the parent sent is the parent's to receive.
    if (tcti.receive(response, 0) != TSS2_TCTI_RC_BAD_SEQUENCE) ::_exit(1);
    if (tcti.transmit(tpm_message(2, 40)) != TSS2_RC_SUCCESS) ::_exit(2);
    if (tcti.receive(response) != TSS2_RC_SUCCESS) ::_exit(3);
    if (response != tpm_message(2, 40)) ::_exit(4);
    if (tcti.readable(0)) ::_exit(5);
    tcti.finalize();
    ::_exit(0);
  }
  while (connections < 2) std::this_thread::yield();
  gate.answer = true;
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
  proto::Buffer response(64);
  REQUIRE(tcti.receive(response) == TSS2_RC_SUCCESS);
  REQUIRE(response == tpm_message(1, 30));
  REQUIRE(connections == 2);
}

TEST_CASE("a forked child that finds no daemon is told so by a response") {
  std::optional<FakeDaemon> daemon(std::in_place, test::echo);
  Tcti tcti(daemon->path());
  daemon.reset();
  const pid_t child = ::fork();
  if (child == 0) {
    for (int i = 0; i < 2; ++i) {
      proto::Buffer response(64);
      if (tcti.transmit(tpm_message(1)) != TSS2_RC_SUCCESS) ::_exit(1);
      if (Tss2_Tcti_Cancel(tcti.context()) != TSS2_RC_SUCCESS) ::_exit(2);
      if (tcti.receive(response) != TSS2_RC_SUCCESS) ::_exit(3);
      if (response != tpm_message(TSS2_RESMGR_RC_LAYER | TSS2_BASE_RC_NO_CONNECTION, 10))
        ::_exit(4);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
}

TEST_CASE("a child that only finalizes ends nothing of its parent's") {
  FakeDaemon daemon(test::echo);
  Tcti tcti(daemon.path());
  const pid_t child = ::fork();
  if (child == 0) {
    tcti.finalize();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(status == 0);
  proto::Buffer response(64);
  REQUIRE(tcti.transmit(tpm_message(1)) == TSS2_RC_SUCCESS);
  REQUIRE(tcti.receive(response) == TSS2_RC_SUCCESS);
}

// Return codes of the functions about the machine that a real daemon gives only in states that
// cannot be brought about at will: the daemon is played. event_log_test.cpp and machine_test.cpp do
// the rest against tbsd itself.

#include <atomic>
#include <functional>
#include <thread>

#include "client/include/tbs/tbsx.h"
#include "tests/support/catch2.h"
#include "tests/support/fake_daemon.h"

using namespace tbs;
using proto::Status;
using test::FakeDaemon;
using test::Peer;

namespace {

TBS_HCONTEXT connect() {
  const TBS_CONTEXT_PARAMS2 params{.version = TBS_CONTEXT_VERSION_TWO, .asUINT32 = 4};
  TBS_HCONTEXT context = nullptr;
  REQUIRE(Tbsi_Context_Create(reinterpret_cast<PCTBS_CONTEXT_PARAMS>(&params), &context) ==
          TBS_SUCCESS);
  return context;
}

// A daemon that answers every question with a status.
FakeDaemon::Handler answering(Status status) {
  return [status](Peer& peer) {
    if (!peer.handshake(test::usual_terms())) return;
    while (const auto frame = peer.next()) {
      const std::uint64_t id = frame->request_id;
      switch (frame->type) {
        case proto::Type::ReadLog:
          peer.send(id, proto::LogPart{.status = status, .bytes = {}});
          break;
        case proto::Type::PhysicalPresence:
          peer.send(id, proto::PhysicalPresenceReply{.status = status, .output = {}});
          break;
        case proto::Type::OwnerAuth:
          peer.send(id, proto::OwnerAuthReply{.status = status, .value = {}});
          break;
        case proto::Type::RevokeAttestation:
          peer.send(id, proto::RevokeAttestationReply{.status = status});
          break;
        default:
          peer.send(id, proto::Result{.status = status, .response = {}});
      }
    }
  };
}

// A daemon that answers the hello, and then does this with the first question.
FakeDaemon::Handler then(std::function<void(Peer&)> reaction) {
  return [reaction = std::move(reaction)](Peer& peer) {
    if (!peer.handshake(test::usual_terms())) return;
    peer.next();
    reaction(peer);
  };
}

TBS_RESULT log(TBS_HCONTEXT context) {
  UINT32 size = 0;
  return Tbsi_Get_TCG_Log(context, nullptr, &size);
}

TBS_RESULT log_ex() {
  UINT32 size = 0;
  return Tbsi_Get_TCG_Log_Ex(TBS_TCGLOG_SRTM_CURRENT, nullptr, &size);
}

TBS_RESULT logs() {
  UINT32 size = 0;
  return Tbsi_Get_TCG_Logs(0, nullptr, nullptr, 0, &size, TBS_GET_ALL_LOGS_FLAG);
}

TBS_RESULT presence(TBS_HCONTEXT context) {
  const BYTE input[] = {1, 0, 0, 0};
  BYTE output[16];
  UINT32 size = sizeof output;
  return Tbsi_Physical_Presence_Command(context, input, sizeof input, output, &size);
}

TBS_RESULT owner_auth(TBS_HCONTEXT context) {
  UINT32 size = 0;
  return Tbsi_Get_OwnerAuth(context, TBS_OWNERAUTH_TYPE_STORAGE_20, nullptr, &size);
}

TBS_RESULT device_id() {
  UINT32 size = 0;
  const auto bytes = static_cast<TBS_RESULT>(GetDeviceID(nullptr, 0, &size, nullptr));
  const auto text = static_cast<TBS_RESULT>(GetDeviceIDString(nullptr, 0, &size, nullptr));
  CHECK(bytes == text);
  return bytes;
}

// Points libtbs to the daemon for as long as it lives.
class Played {
 public:
  explicit Played(FakeDaemon::Handler handler) : daemon_(std::move(handler)) {
    Tbsx_Set_Socket(daemon_.path().c_str());
  }
  ~Played() { Tbsx_Set_Socket(nullptr); }
  Played(const Played&) = delete;
  Played& operator=(const Played&) = delete;

 private:
  FakeDaemon daemon_;
};

}  // namespace

TEST_CASE("every function passes on what the daemon says") {
  for (const TBS_RESULT code :
       {TBS_E_INTERNAL_ERROR, TBS_E_BAD_PARAMETER, TBS_E_IOERROR, TBS_E_SERVICE_START_PENDING,
        TBS_E_PPI_NOT_SUPPORTED, TBS_E_COMMAND_CANCELED, TBS_E_TPM_NOT_FOUND, TBS_E_NO_EVENT_LOG,
        TBS_E_ACCESS_DENIED, TBS_E_PPI_FUNCTION_UNSUPPORTED, TBS_E_OWNERAUTH_NOT_FOUND}) {
    Played daemon(answering(static_cast<Status>(code)));
    TBS_HCONTEXT context = connect();
    CHECK(log(context) == code);
    CHECK(log_ex() == code);
    CHECK(logs() == code);
    CHECK(presence(context) == code);
    CHECK(owner_auth(context) == code);
    CHECK(Tbsi_Revoke_Attestation() == code);
    CHECK(device_id() == code);
    CHECK(Tbsip_Context_Close(context) == TBS_SUCCESS);
  }
}

TEST_CASE("a daemon that does not let a context in, for the functions that open one") {
  for (const TBS_RESULT code :
       {TBS_E_TOO_MANY_TBS_CONTEXTS, TBS_E_TPM_NOT_FOUND, TBS_E_SERVICE_START_PENDING,
        TBS_E_SERVICE_DISABLED, TBS_E_ACCESS_DENIED}) {
    Played daemon([code](Peer& peer) {
      peer.handshake({.status = static_cast<Status>(code)});
      peer.next();
    });
    CHECK(Tbsi_Revoke_Attestation() == code);
    CHECK(device_id() == code);
    CHECK(log_ex() == code);
    CHECK(logs() == code);
  }
}

TEST_CASE("no daemon") {
  Tbsx_Set_Socket("/nonexistent/socket");
  CHECK(log_ex() == TBS_E_SERVICE_NOT_RUNNING);
  CHECK(logs() == TBS_E_SERVICE_NOT_RUNNING);
  CHECK(Tbsi_Revoke_Attestation() == TBS_E_SERVICE_NOT_RUNNING);
  CHECK(device_id() == TBS_E_SERVICE_NOT_RUNNING);
  Tbsx_Set_Socket(nullptr);
}

TEST_CASE("a daemon that goes away, or answers another question") {
  // `of_command`: what a function ends with that sends a command of the TPM.
  const auto each = [](const FakeDaemon::Handler& handler, TBS_RESULT expected,
                       TBS_RESULT of_command) {
    Played daemon(handler);
    for (const auto function : {log, presence, owner_auth}) {
      TBS_HCONTEXT context = connect();
      CHECK(function(context) == expected);
      CHECK(function(context) == expected);
      CHECK(Tbsip_Context_Close(context) == TBS_SUCCESS);
    }
    CHECK(log_ex() == expected);
    CHECK(logs() == expected);
    CHECK(Tbsi_Revoke_Attestation() == expected);
    CHECK(device_id() == of_command);
  };
  // A command may have run; a question can be asked again.
  each(then([](Peer&) {}), TBS_E_SERVICE_NOT_RUNNING, TBS_E_IOERROR);
  each(then([](Peer& peer) {
         peer.send_raw(proto::Buffer(100, 0xff));
         peer.next();
       }),
       TBS_E_INTERNAL_ERROR, TBS_E_INTERNAL_ERROR);
  each(then([](Peer& peer) {
         peer.send(2, proto::CancelReply{});
         peer.next();
       }),
       TBS_E_INTERNAL_ERROR, TBS_E_INTERNAL_ERROR);
}

TEST_CASE("Context_Create: a daemon that talks nonsense") {
  Played daemon([](Peer& peer) {
    peer.next();
    peer.send_raw(proto::Buffer(100, 0xff));
    peer.next();
  });
  const TBS_CONTEXT_PARAMS2 params{.version = TBS_CONTEXT_VERSION_TWO, .asUINT32 = 4};
  TBS_HCONTEXT context = nullptr;
  CHECK(Tbsi_Context_Create(reinterpret_cast<PCTBS_CONTEXT_PARAMS>(&params), &context) ==
        TBS_E_INTERNAL_ERROR);
  TPM_DEVICE_INFO info{};
  CHECK(Tbsi_GetDeviceInfo(sizeof info, &info) == TBS_E_INTERNAL_ERROR);
}

TEST_CASE("closing a context ends a question that another thread waits for") {
  for (const auto function : {log, presence, owner_auth}) {
    std::atomic<bool> asked = false;
    Played daemon(then([&](Peer& peer) {
      asked = true;
      peer.next();
    }));
    TBS_HCONTEXT context = connect();
    TBS_RESULT result = TBS_SUCCESS;
    std::thread waiting([&] { result = function(context); });
    while (!asked) std::this_thread::yield();
    CHECK(Tbsip_Context_Close(context) == TBS_SUCCESS);
    waiting.join();
    CHECK(result == TBS_E_COMMAND_CANCELED);
  }
}

TEST_CASE("questions of several threads, with commands between them") {
  Played daemon([](Peer& peer) {
    if (!peer.handshake(test::usual_terms())) return;
    const proto::Buffer log(1000, 7);
    while (const auto frame = peer.next()) {
      if (frame->type == proto::Type::ReadLog) {
        const auto asked = proto::decode<proto::ReadLog>(frame->payload);
        const auto rest = proto::Bytes(log).subspan(asked->offset);
        const auto part = rest.first(std::min<std::size_t>(rest.size(), 100));
        peer.send(frame->request_id,
                  proto::LogPart{.more = part.size() < rest.size() ? 1U : 0U, .bytes = part});
      } else if (const auto submit = proto::decode<proto::Submit>(frame->payload)) {
        peer.send(frame->request_id, proto::Result{.response = submit->command});
      }
    }
  });
  TBS_HCONTEXT context = connect();
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int turn = 0; turn < 20; ++turn) {
        BYTE room[1000];
        UINT32 size = sizeof room;
        const bool whole = Tbsi_Get_TCG_Log(context, room, &size) == TBS_SUCCESS && size == 1000;
        const auto command = test::tpm_message(1, 12);
        BYTE response[12];
        UINT32 length = sizeof response;
        const bool ran = Tbsip_Submit_Command(context, 0, 0, command.data(), 12, response,
                                              &length) == TBS_SUCCESS;
        if (whole && ran && room[999] == 7) ++right;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(right == 80);
  CHECK(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

TEST_CASE("a TPM that refuses the key of the identifier is quoted in the HRESULT") {
  std::atomic<int> commands = 0;
  std::uint32_t code = 0x9A2;
  Played daemon([&](Peer& peer) {
    if (!peer.handshake(test::usual_terms())) return;
    while (const auto frame = peer.next()) {
      ++commands;
      peer.send(frame->request_id, proto::Result{.response = test::tpm_message(code, 10)});
    }
  });
  CHECK(device_id() == 0x802809A2);
  CHECK(commands == 2);
  // A TPM without P-256 is asked for an RSA key.
  commands = 0;
  code = 0x2E6;
  CHECK(device_id() == 0x802802E6);
  CHECK(commands == 4);
  // What is no response at all.
  code = 0;
  CHECK(device_id() == TBS_E_IOERROR);
}

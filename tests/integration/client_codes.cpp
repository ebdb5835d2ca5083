// Every return code that tbs.h and tbsx.h document, reached through the C API of the shared
// library. The daemon is played, because a real one gives some of these codes only in states that
// cannot be brought about at will; client_c.c does the rest against tbsd itself.

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <thread>
#include <vector>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/include/tbs/tbsx.h"
#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/support/fake_daemon.h"

using namespace tbs;
using proto::Status;
using test::FakeDaemon;
using test::Peer;
using test::tpm_message;

namespace {

TBS_CONTEXT_PARAMS2 parameters(UINT32 flags, UINT32 version = TBS_CONTEXT_VERSION_TWO) {
  TBS_CONTEXT_PARAMS2 made;
  made.version = version;
  made.asUINT32 = flags;
  return made;
}

TBS_RESULT create(const TBS_CONTEXT_PARAMS2& params, const FakeDaemon& daemon,
                  TBS_HCONTEXT& context) {
  return Tbsx_Context_Create(reinterpret_cast<PCTBS_CONTEXT_PARAMS>(&params), daemon.path().c_str(),
                             &context);
}

TBS_HCONTEXT connect(const FakeDaemon& daemon) {
  TBS_HCONTEXT context = nullptr;
  REQUIRE(create(parameters(4), daemon, context) == TBS_SUCCESS);
  REQUIRE(context != nullptr);
  return context;
}

struct Outcome {
  TBS_RESULT result;
  UINT32 size;
};

Outcome submit(TBS_HCONTEXT context, const proto::Buffer& command, UINT32 capacity = 4096) {
  proto::Buffer response(capacity);
  UINT32 size = capacity;
  const TBS_RESULT result = Tbsip_Submit_Command(
      context, 0, 0, command.data(), static_cast<UINT32>(command.size()), response.data(), &size);
  return {result, size};
}

// A daemon that answers each command, or the hello, with a status.
FakeDaemon::Handler answering(Status status) {
  return [status](Peer& peer) {
    if (!peer.handshake(test::usual_terms())) return;
    while (const auto frame = peer.next()) {
      peer.send(frame->request_id, proto::Result{.status = status, .response = {}});
    }
  };
}

FakeDaemon::Handler greeting(Status status) {
  return [status](Peer& peer) {
    peer.handshake({.status = status});
    peer.next();
  };
}

FakeDaemon::Handler informing(Status status) {
  return [status](Peer& peer) {
    if (!peer.handshake({})) return;
    const auto id = peer.expect(proto::Type::DeviceInfo);
    peer.send(id, proto::DeviceInfoReply{.status = status,
                                         .tpm_version = 2,
                                         .interface_type = 4,
                                         .revision = 164,
                                         .manufacturer = "IBM ",
                                         .device = "embedded"});
    peer.next();
  };
}

template <typename Child>
int exit_code_of(Child child) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(child());
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("Context_Create: parameters") {
  FakeDaemon daemon(test::echo);
  int before = 0;
  TBS_HCONTEXT context = &before;
  REQUIRE(Tbsx_Context_Create(nullptr, daemon.path().c_str(), &context) == TBS_E_BAD_PARAMETER);
  REQUIRE(context == nullptr);
  const auto good = parameters(4);
  const auto* generic = reinterpret_cast<PCTBS_CONTEXT_PARAMS>(&good);
  REQUIRE(Tbsx_Context_Create(generic, daemon.path().c_str(), nullptr) ==
          TBS_E_INVALID_OUTPUT_POINTER);
  REQUIRE(Tbsi_Context_Create(nullptr, &context) == TBS_E_BAD_PARAMETER);
  REQUIRE(Tbsi_Context_Create(generic, nullptr) == TBS_E_INVALID_OUTPUT_POINTER);
  for (const UINT32 version : {0U, 3U, 0xffffffffU}) {
    context = &before;
    REQUIRE(create(parameters(4, version), daemon, context) == TBS_E_INVALID_CONTEXT_PARAM);
    REQUIRE(context == nullptr);
  }
  for (const UINT32 no_family : {0U, 1U, 0xfffffff8U}) {
    REQUIRE(create(parameters(no_family), daemon, context) == TBS_E_INVALID_CONTEXT_PARAM);
  }
  for (const UINT32 flags : {2U, 4U, 6U, 7U, 0xffffffffU, 0xdeadbee4U}) {
    REQUIRE(create(parameters(flags), daemon, context) == TBS_SUCCESS);
    REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
  }
}

TEST_CASE("Context_Create: only the families travel, and of version one only 4 bytes are read") {
  std::atomic<std::uint32_t> wanted = 0;
  FakeDaemon daemon([&](Peer& peer) {
    const auto hello = peer.next();
    wanted = proto::decode<proto::Hello>(hello->payload)->wanted;
    peer.send(hello->request_id, test::usual_terms());
    peer.next();
  });
  TBS_HCONTEXT context = nullptr;
  REQUIRE(create(parameters(0xffffffffU), daemon, context) == TBS_SUCCESS);
  REQUIRE(wanted == (proto::kWantTpm12 | proto::kWantTpm20));
  Tbsip_Context_Close(context);
  // requestRaw counts beside spare bits that are zero: else it is a leftover of the stack.
  REQUIRE(create(parameters(7), daemon, context) == TBS_SUCCESS);
  REQUIRE(wanted == (proto::kWantRaw | proto::kWantTpm12 | proto::kWantTpm20));
  Tbsip_Context_Close(context);
  REQUIRE(create(parameters(0x8000000d), daemon, context) == TBS_SUCCESS);
  REQUIRE(wanted == proto::kWantTpm20);
  Tbsip_Context_Close(context);
  const auto one = std::make_unique<TBS_CONTEXT_PARAMS>(TBS_CONTEXT_PARAMS{1});
  REQUIRE(Tbsx_Context_Create(one.get(), daemon.path().c_str(), &context) == TBS_SUCCESS);
  REQUIRE(wanted == proto::kWantTpm12);
  Tbsip_Context_Close(context);
}

TEST_CASE("Context_Create: what the daemon says") {
  for (const TBS_RESULT code :
       {TBS_E_SERVICE_START_PENDING, TBS_E_SERVICE_DISABLED, TBS_E_ACCESS_DENIED,
        TBS_E_TOO_MANY_TBS_CONTEXTS, TBS_E_TPM_NOT_FOUND, TBS_E_SERVICE_NOT_RUNNING}) {
    FakeDaemon daemon(greeting(static_cast<Status>(code)));
    TBS_HCONTEXT context = nullptr;
    REQUIRE(create(parameters(4), daemon, context) == code);
    REQUIRE(context == nullptr);
  }
}

TEST_CASE("Context_Create: no daemon, or one that keeps this user out") {
  const auto params = parameters(4);
  const auto* generic = reinterpret_cast<PCTBS_CONTEXT_PARAMS>(&params);
  TBS_HCONTEXT context = nullptr;
  REQUIRE(Tbsx_Context_Create(generic, "/nonexistent/socket", &context) ==
          TBS_E_SERVICE_NOT_RUNNING);
  REQUIRE(Tbsx_Context_Create(generic, "", &context) == TBS_E_BAD_PARAMETER);
  REQUIRE(Tbsx_Context_Create(generic, std::string(108, 'x').c_str(), &context) ==
          TBS_E_BAD_PARAMETER);

  FakeDaemon daemon(test::echo);
  ::chmod(daemon.path().c_str(), 0);
  const int code = exit_code_of([&] {
    // Permissions keep everybody out but root.
    if (::geteuid() == 0 && ::setuid(65534) != 0) return 2;
    return create(params, daemon, context) == TBS_E_ACCESS_DENIED ? 0 : 1;
  });
  // The folder is root's alone; a path that cannot be searched is denied as well.
  REQUIRE(code == 0);
}

TEST_CASE("the socket: chosen for the process, named by the environment") {
  FakeDaemon daemon(informing(Status::Success));
  REQUIRE(Tbsx_Set_Socket("") == TBS_E_BAD_PARAMETER);
  REQUIRE(Tbsx_Set_Socket(std::string(108, 'x').c_str()) == TBS_E_BAD_PARAMETER);
  ::setenv("TBS_SOCKET", "/nonexistent/socket", 1);
  REQUIRE(Tbsi_Is_Tpm_Present() == 0);
  REQUIRE(Tbsx_Set_Socket(daemon.path().c_str()) == TBS_SUCCESS);
  REQUIRE(Tbsi_Is_Tpm_Present() != 0);
  REQUIRE(Tbsx_Set_Socket(nullptr) == TBS_SUCCESS);
  REQUIRE(Tbsi_Is_Tpm_Present() == 0);
  ::setenv("TBS_SOCKET", daemon.path().c_str(), 1);
  REQUIRE(Tbsi_Is_Tpm_Present() != 0);
  ::unsetenv("TBS_SOCKET");
}

TEST_CASE("Context_Close: only a live handle, and only once") {
  FakeDaemon daemon(test::echo);
  TBS_HCONTEXT context = connect(daemon);
  static TBS_HCONTEXT in_memory = context;
  REQUIRE(reinterpret_cast<std::uintptr_t>(context) < 0x80000000U);
  REQUIRE(Tbsip_Context_Close(nullptr) == TBS_E_INVALID_CONTEXT);
  REQUIRE(Tbsip_Context_Close(&context) == TBS_E_INVALID_CONTEXT);
  REQUIRE(Tbsip_Context_Close(&in_memory) == TBS_E_INVALID_CONTEXT);
  REQUIRE(Tbsip_Context_Close(reinterpret_cast<TBS_HCONTEXT>(~std::uintptr_t{0})) ==
          TBS_E_INVALID_CONTEXT);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
  REQUIRE(Tbsip_Context_Close(context) == TBS_E_INVALID_CONTEXT);
}

TEST_CASE("Submit_Command: what is checked before anything is sent, in the order of Windows") {
  FakeDaemon daemon(test::echo);
  TBS_HCONTEXT context = connect(daemon);
  const auto command = tpm_message(TPM2_CC_GetRandom, 12);
  const auto length = static_cast<UINT32>(command.size());
  BYTE result[64];
  UINT32 size = sizeof result;
  const auto call = [&](TBS_HCONTEXT handle, PCBYTE bytes, UINT32 count, PBYTE out, PUINT32 room) {
    return Tbsip_Submit_Command(handle, 0, 200, bytes, count, out, room);
  };
  REQUIRE(call(nullptr, nullptr, 0, nullptr, nullptr) == TBS_E_INVALID_CONTEXT);
  REQUIRE(call(context, nullptr, length, nullptr, nullptr) == TBS_E_BAD_PARAMETER);
  REQUIRE(call(context, command.data(), 0, nullptr, nullptr) == TBS_E_BAD_PARAMETER);
  REQUIRE(call(context, command.data(), length, nullptr, &size) == TBS_E_INVALID_OUTPUT_POINTER);
  REQUIRE(call(context, command.data(), length, result, nullptr) == TBS_E_INVALID_OUTPUT_POINTER);
  size = 0;
  REQUIRE(call(context, command.data(), length, nullptr, &size) == TBS_E_INVALID_OUTPUT_POINTER);
  size = sizeof result;
  const proto::Buffer huge(TBS_IN_OUT_BUF_SIZE_MAX + 1);
  REQUIRE(call(context, huge.data(), TBS_IN_OUT_BUF_SIZE_MAX + 1, result, &size) ==
          TBS_E_BUFFER_TOO_LARGE);
  size = TBS_IN_OUT_BUF_SIZE_MAX + 1;
  REQUIRE(call(context, command.data(), length, result, &size) == TBS_E_BUFFER_TOO_LARGE);
  size = sizeof result;
  REQUIRE(call(context, command.data(), 9, result, &size) == TBS_E_BAD_PARAMETER);
  REQUIRE(call(context, command.data(), 11, result, &size) == TBS_E_BAD_PARAMETER);
  REQUIRE(submit(context, tpm_message(1, 4097)).result == TBS_E_BUFFER_TOO_LARGE);
  REQUIRE(size == sizeof result);
  REQUIRE(call(context, command.data(), length, result, &size) == TBS_SUCCESS);
  REQUIRE(size == length);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
  REQUIRE(call(context, command.data(), length, result, &size) == TBS_E_INVALID_CONTEXT);
}

TEST_CASE("Submit_Command: any priority is carried as it is, and any locality") {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> seen;
  FakeDaemon daemon([&](Peer& peer) {
    if (!peer.handshake(test::usual_terms())) return;
    while (const auto frame = peer.next()) {
      const auto sent = proto::decode<proto::Submit>(frame->payload);
      seen.emplace_back(sent->locality, sent->priority);
      peer.send(frame->request_id, proto::Result{.response = sent->command});
    }
  });
  TBS_HCONTEXT context = connect(daemon);
  const std::vector<std::pair<UINT32, UINT32>> passed = {{0, 0},
                                                         {0, TBS_COMMAND_PRIORITY_NORMAL},
                                                         {3, 1},
                                                         {0, TBS_COMMAND_PRIORITY_MAX},
                                                         {0xffffffffU, 0xffffffffU}};
  for (const auto& [locality, priority] : passed) {
    auto buffer = tpm_message(1, 12);
    UINT32 size = 12;
    REQUIRE(Tbsip_Submit_Command(context, locality, priority, buffer.data(), 12, buffer.data(),
                                 &size) == TBS_SUCCESS);
  }
  Tbsip_Context_Close(context);
  REQUIRE(std::equal(seen.begin(), seen.end(), passed.begin(), passed.end()));
}

TEST_CASE("Submit_Command: a buffer too small is told the exact size") {
  FakeDaemon daemon(test::echo);
  TBS_HCONTEXT context = connect(daemon);
  for (const UINT32 capacity : {1U, 10U, 99U}) {
    const Outcome outcome = submit(context, tpm_message(1, 100), capacity);
    REQUIRE(outcome.result == TBS_E_INSUFFICIENT_BUFFER);
    REQUIRE(outcome.size == 100);
  }
  REQUIRE(submit(context, tpm_message(1, 100), 100).result == TBS_SUCCESS);
  Tbsip_Context_Close(context);
}

TEST_CASE("Submit_Command: what the daemon says, and nothing written to the result") {
  for (const TBS_RESULT code :
       {TBS_E_COMMAND_CANCELED, TBS_E_IOERROR, TBS_E_TOO_MANY_RESOURCES, TBS_E_BAD_PARAMETER,
        TBS_E_ACCESS_DENIED, TBS_E_BUFFER_TOO_LARGE, TBS_E_INTERNAL_ERROR}) {
    FakeDaemon daemon(answering(static_cast<Status>(code)));
    TBS_HCONTEXT context = connect(daemon);
    const auto command = tpm_message(1, 12);
    BYTE result[32];
    std::memset(result, 0xee, sizeof result);
    UINT32 size = sizeof result;
    REQUIRE(Tbsip_Submit_Command(context, 0, 0, command.data(), 12, result, &size) == code);
    REQUIRE(size == sizeof result);
    REQUIRE(std::all_of(std::begin(result), std::end(result), [](BYTE b) { return b == 0xee; }));
    REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
  }
}

TEST_CASE("a daemon that goes away, and one that talks nonsense") {
  for (const bool nonsense : {false, true}) {
    std::optional<FakeDaemon> daemon(std::in_place, [nonsense](Peer& peer) {
      peer.handshake(test::usual_terms());
      peer.next();
      if (nonsense) peer.send_raw(proto::Buffer(100, 0xff)), peer.next();
    });
    TBS_HCONTEXT context = connect(*daemon);
    const TBS_RESULT expected = nonsense ? TBS_E_INTERNAL_ERROR : TBS_E_IOERROR;
    // The context has a new connection each time, and none of them is better.
    REQUIRE(submit(context, tpm_message(1)).result == expected);
    REQUIRE(submit(context, tpm_message(1)).result == expected);
    TBSX_REQUEST request = 0;
    const auto command = tpm_message(1, 12);
    UINT32 size = 0;
    REQUIRE(Tbsx_Submit_Begin(context, 0, 0, command.data(), 12, &request) == TBS_SUCCESS);
    REQUIRE(Tbsx_Submit_Result(context, request, nullptr, &size, -1) == expected);
    daemon.reset();
    REQUIRE(submit(context, tpm_message(1)).result == TBS_E_SERVICE_NOT_RUNNING);
    REQUIRE(Tbsx_Submit_Begin(context, 0, 0, command.data(), 12, &request) ==
            TBS_E_SERVICE_NOT_RUNNING);
    // Nothing is outstanding.
    REQUIRE(Tbsip_Cancel_Commands(context) == TBS_SUCCESS);
    REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
  }
}

TEST_CASE("Submit_Command: a daemon that stops says that it has not taken a command") {
  FakeDaemon daemon([](Peer& peer) {
    peer.handshake(test::usual_terms());
    peer.next();
    peer.send(0, proto::Refusal{.status = Status::ServiceNotRunning, .reason = "tbsd stops"});
  });
  TBS_HCONTEXT context = connect(daemon);
  REQUIRE(submit(context, tpm_message(1)).result == TBS_E_SERVICE_NOT_RUNNING);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

TEST_CASE("Cancel_Commands") {
  REQUIRE(Tbsip_Cancel_Commands(nullptr) == TBS_E_INVALID_CONTEXT);
  {
    FakeDaemon daemon(test::echo);
    TBS_HCONTEXT context = connect(daemon);
    REQUIRE(Tbsip_Cancel_Commands(context) == TBS_SUCCESS);
    REQUIRE(submit(context, tpm_message(1)).result == TBS_SUCCESS);
    REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
    REQUIRE(Tbsip_Cancel_Commands(context) == TBS_E_INVALID_CONTEXT);
  }
  FakeDaemon daemon([](Peer& peer) {
    if (!peer.handshake(test::usual_terms())) return;
    peer.send(peer.expect(proto::Type::Cancel), proto::CancelReply{.status = Status::IoError});
    peer.next();
  });
  TBS_HCONTEXT context = connect(daemon);
  REQUIRE(Tbsip_Cancel_Commands(context) == TBS_E_IOERROR);
  // It goes away instead of an answer.
  REQUIRE(Tbsip_Cancel_Commands(context) == TBS_E_SERVICE_NOT_RUNNING);
  REQUIRE(Tbsip_Cancel_Commands(context) == TBS_SUCCESS);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

TEST_CASE("Context_Close cancels what another thread waits for") {
  std::atomic<bool> arrived = false;
  FakeDaemon daemon([&](Peer& peer) {
    peer.handshake(test::usual_terms());
    peer.next();
    arrived = true;
    peer.next();
  });
  TBS_HCONTEXT context = connect(daemon);
  TBS_RESULT result = TBS_SUCCESS;
  std::thread waiting([&] { result = submit(context, tpm_message(1)).result; });
  while (!arrived) std::this_thread::yield();
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
  waiting.join();
  REQUIRE(result == TBS_E_COMMAND_CANCELED);
}

TEST_CASE("GetDeviceInfo and Is_Tpm_Present") {
  TPM_DEVICE_INFO info{9, 9, 9, 9};
  REQUIRE(Tbsi_GetDeviceInfo(15, &info) == TBS_E_BAD_PARAMETER);
  REQUIRE(Tbsi_GetDeviceInfo(sizeof info, nullptr) == TBS_E_BAD_PARAMETER);
  Tbsx_Set_Socket("/nonexistent/socket");
  REQUIRE(Tbsi_GetDeviceInfo(sizeof info, &info) == TBS_E_SERVICE_NOT_RUNNING);
  REQUIRE(Tbsi_Is_Tpm_Present() == 0);
  {
    FakeDaemon daemon(informing(Status::Success));
    Tbsx_Set_Socket(daemon.path().c_str());
    REQUIRE(Tbsi_GetDeviceInfo(64, &info) == TBS_SUCCESS);
    REQUIRE(info.structVersion == 1);
    REQUIRE(info.tpmVersion == TPM_VERSION_20);
    REQUIRE(info.tpmInterfaceType == TPM_IFTYPE_EMULATOR);
    REQUIRE(info.tpmImpRevision == 164);
    REQUIRE(Tbsi_Is_Tpm_Present() != 0);
  }
  for (const TBS_RESULT code : {TBS_E_TPM_NOT_FOUND, TBS_E_SERVICE_START_PENDING}) {
    FakeDaemon daemon(informing(static_cast<Status>(code)));
    Tbsx_Set_Socket(daemon.path().c_str());
    info = {9, 9, 9, 9};
    REQUIRE(Tbsi_GetDeviceInfo(sizeof info, &info) == code);
    REQUIRE(info.structVersion == 9);
    REQUIRE(Tbsi_Is_Tpm_Present() == 0);
  }
  FakeDaemon daemon(greeting(Status::AccessDenied));
  Tbsx_Set_Socket(daemon.path().c_str());
  REQUIRE(Tbsi_GetDeviceInfo(sizeof info, &info) == TBS_E_ACCESS_DENIED);
  Tbsx_Set_Socket(nullptr);
}

TEST_CASE("Submit_Begin and Submit_Result") {
  std::atomic<bool> answer = false;
  FakeDaemon daemon([&](Peer& peer) {
    if (!peer.handshake(test::usual_terms())) return;
    while (const auto frame = peer.next()) {
      const auto submit = proto::decode<proto::Submit>(frame->payload);
      while (!answer) std::this_thread::yield();
      peer.send(frame->request_id, proto::Result{.response = submit->command});
    }
  });
  TBS_HCONTEXT context = connect(daemon);
  const auto command = tpm_message(TPM2_CC_GetRandom, 20);
  TBSX_REQUEST request = 0;
  BYTE result[64];
  UINT32 size = sizeof result;
  REQUIRE(Tbsx_Submit_Begin(nullptr, 0, 0, command.data(), 20, &request) == TBS_E_INVALID_CONTEXT);
  REQUIRE(Tbsx_Submit_Begin(context, 0, 0, nullptr, 20, &request) == TBS_E_BAD_PARAMETER);
  REQUIRE(Tbsx_Submit_Begin(context, 0, 0, command.data(), 19, &request) == TBS_E_BAD_PARAMETER);
  REQUIRE(Tbsx_Submit_Begin(context, 0, 0, command.data(), 20, nullptr) ==
          TBS_E_INVALID_OUTPUT_POINTER);
  const auto large = tpm_message(1, 5000);
  REQUIRE(Tbsx_Submit_Begin(context, 0, 0, large.data(), 5000, &request) == TBS_E_BUFFER_TOO_LARGE);
  REQUIRE(Tbsx_Submit_Begin(context, 0, 0, command.data(), 20, &request) == TBS_SUCCESS);
  REQUIRE(request != 0);

  REQUIRE(Tbsx_Submit_Result(nullptr, request, result, &size, 0) == TBS_E_INVALID_CONTEXT);
  REQUIRE(Tbsx_Submit_Result(context, request, result, nullptr, 0) == TBS_E_INVALID_OUTPUT_POINTER);
  REQUIRE(Tbsx_Submit_Result(context, request, nullptr, &size, 0) == TBS_E_INVALID_OUTPUT_POINTER);
  size = TBS_IN_OUT_BUF_SIZE_MAX + 1;
  REQUIRE(Tbsx_Submit_Result(context, request, result, &size, 0) == TBS_E_BUFFER_TOO_LARGE);
  size = sizeof result;
  REQUIRE(Tbsx_Submit_Result(context, request + 1, result, &size, 0) == TBS_E_BAD_PARAMETER);
  REQUIRE(Tbsx_Submit_Result(context, request, result, &size, 0) == TBSX_E_PENDING);
  REQUIRE(Tbsx_Submit_Result(context, request, result, &size, 10) == TBSX_E_PENDING);
  answer = true;
  size = 0;
  REQUIRE(Tbsx_Submit_Result(context, request, nullptr, &size, -1) == TBS_E_INSUFFICIENT_BUFFER);
  REQUIRE(size == 20);
  REQUIRE(Tbsx_Submit_Result(context, request, result, &size, 0) == TBS_SUCCESS);
  REQUIRE(size == 20);
  REQUIRE(std::equal(command.begin(), command.end(), result));
  REQUIRE(Tbsx_Submit_Result(context, request, result, &size, 0) == TBS_E_BAD_PARAMETER);

  TBS_RESULT last = TBS_SUCCESS;
  for (int i = 0; i < 100 && last == TBS_SUCCESS; ++i) {
    last = Tbsx_Submit_Begin(context, 0, 0, command.data(), 20, &request);
  }
  REQUIRE(last == TBS_E_TOO_MANY_RESOURCES);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

TEST_CASE("Get_Poll_Descriptor, Get_Context_Info and the texts") {
  FakeDaemon daemon(test::echo);
  TBS_HCONTEXT context = connect(daemon);
  int descriptor = -1;
  REQUIRE(Tbsx_Get_Poll_Descriptor(nullptr, &descriptor) == TBS_E_INVALID_CONTEXT);
  REQUIRE(Tbsx_Get_Poll_Descriptor(context, nullptr) == TBS_E_INVALID_OUTPUT_POINTER);
  REQUIRE(Tbsx_Get_Poll_Descriptor(context, &descriptor) == TBS_SUCCESS);
  REQUIRE(descriptor >= 0);
  TBSX_CONTEXT_INFO info;
  REQUIRE(Tbsx_Get_Context_Info(nullptr, &info) == TBS_E_INVALID_CONTEXT);
  REQUIRE(Tbsx_Get_Context_Info(context, nullptr) == TBS_E_INVALID_OUTPUT_POINTER);
  REQUIRE(Tbsx_Get_Context_Info(context, &info) == TBS_SUCCESS);
  REQUIRE(info.number == 7);
  REQUIRE(info.maxCommand == 4096);
  REQUIRE(info.maxResponse == 4096);
  Tbsip_Context_Close(context);
  REQUIRE(std::string(Tbsx_Result_Name(TBS_E_COMMAND_CANCELED)) == "TBS_E_COMMAND_CANCELED");
  REQUIRE(std::string(Tbsx_Result_Name(TBSX_E_PENDING)) == "TBSX_E_PENDING");
  REQUIRE(std::strlen(Tbsx_Result_Text(TBS_E_IOERROR)) > 0);
  REQUIRE(std::strlen(Tbsx_Result_Text(0x12345678)) > 0);
}

TEST_CASE("a forked child has none of its parent's contexts and disturbs none") {
  FakeDaemon daemon(test::echo);
  TBS_HCONTEXT context = connect(daemon);
  int descriptor = -1;
  Tbsx_Get_Poll_Descriptor(context, &descriptor);
  REQUIRE(submit(context, tpm_message(1)).result == TBS_SUCCESS);
  const int code = exit_code_of([&] {
    if (submit(context, tpm_message(1)).result != TBS_E_INVALID_CONTEXT) return 1;
    if (Tbsip_Cancel_Commands(context) != TBS_E_INVALID_CONTEXT) return 2;
    if (Tbsip_Context_Close(context) != TBS_E_INVALID_CONTEXT) return 3;
    if (::write(descriptor, "x", 1) != -1 || errno != EBADF) return 4;
    TBS_HCONTEXT own = nullptr;
    if (create(parameters(4), daemon, own) != TBS_SUCCESS || own == context) return 5;
    if (submit(own, tpm_message(2)).result != TBS_SUCCESS) return 6;
    return Tbsip_Context_Close(own) == TBS_SUCCESS ? 0 : 7;
  });
  REQUIRE(code == 0);
  REQUIRE(submit(context, tpm_message(1)).result == TBS_SUCCESS);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

TEST_CASE("the daemon sees a parent's end although its child lives on") {
  std::atomic<bool> ended = false;
  FakeDaemon daemon([&](Peer& peer) {
    test::echo(peer);
    ended = true;
  });
  // The one in between opens a context, forks a child that outlives it, and goes without closing.
  int gate[2];
  REQUIRE(::pipe(gate) == 0);
  const int code = exit_code_of([&] {
    TBS_HCONTEXT context = nullptr;
    if (create(parameters(4), daemon, context) != TBS_SUCCESS) return 1;
    if (::fork() == 0) {
      ::close(gate[1]);
      char byte;
      const bool released = ::read(gate[0], &byte, 1) == 0;
      ::_exit(released ? 0 : 1);
    }
    return 0;
  });
  REQUIRE(code == 0);
  for (int i = 0; i < 1000 && !ended; ++i) ::usleep(10000);
  REQUIRE(ended);
  ::close(gate[0]);
  ::close(gate[1]);
}

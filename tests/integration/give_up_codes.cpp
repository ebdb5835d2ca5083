// How commands are given up, against a daemon that a test plays: time-outs, and the descriptor that
// cancels from where no function may be called.

#include <atomic>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
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

constexpr UINT32 kSize = 20;

TBS_HCONTEXT connect(const FakeDaemon& daemon) {
  const TBS_CONTEXT_PARAMS2 params{.version = TBS_CONTEXT_VERSION_TWO, .asUINT32 = 4};
  TBS_HCONTEXT context = nullptr;
  REQUIRE(Tbsx_Context_Create(reinterpret_cast<PCTBS_CONTEXT_PARAMS>(&params),
                              daemon.path().c_str(), &context) == TBS_SUCCESS);
  return context;
}

TBS_RESULT submit(TBS_HCONTEXT context, INT32 timeout) {
  const auto command = tpm_message(TPM2_CC_GetRandom, kSize);
  BYTE result[64];
  UINT32 size = sizeof result;
  return Tbsx_Submit_Timeout(context, 0, 0, command.data(), kSize, result, &size, timeout);
}

// Takes commands and keeps them until `answers`; a cancel ends all of them, or one, as with a real
// daemon.
class Patient {
 public:
  explicit Patient(std::uint16_t version = proto::kProtocolVersion) : version_(version) {}

  void operator()(Peer& peer) {
    proto::HelloReply terms = test::usual_terms();
    terms.version = version_;
    if (!peer.handshake(terms)) return;
    std::vector<std::uint64_t> kept;
    while (const auto frame = peer.next()) {
      if (frame->type == proto::Type::Submit) {
        kept.push_back(frame->request_id);
        if (!answers) continue;
        for (const auto id : kept) {
          peer.send(id, proto::Result{.response = tpm_message(0, kSize)});
        }
        kept.clear();
      } else if (frame->type == proto::Type::Cancel) {
        ++cancels;
        if (!heeds_cancel) continue;
        for (const auto id : kept) peer.send(id, proto::Result{.status = Status::CommandCanceled});
        kept.clear();
        peer.send(frame->request_id, proto::CancelReply{});
      } else if (const auto one = proto::decode<proto::CancelCommand>(frame->payload)) {
        // The daemons of version 1 end the connection for a message that they do not know.
        if (version_ < proto::kCancelCommandVersion) return;
        ++cancels;
        if (std::erase(kept, one->request) > 0) {
          peer.send(one->request, proto::Result{.status = Status::CommandCanceled});
        }
        peer.send(frame->request_id, proto::CancelCommandReply{});
      }
    }
  }

  std::atomic<bool> answers = false;
  std::atomic<bool> heeds_cancel = true;
  std::atomic<int> cancels = 0;

 private:
  const std::uint16_t version_;
};

void write_one(int descriptor) {
  const UINT64 one = 1;
  REQUIRE(::write(descriptor, &one, sizeof one) == sizeof one);
}

bool readable(int descriptor) {
  pollfd entry{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&entry, 1, 0) == 1;
}

bool turns_readable(int descriptor) {
  pollfd entry{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&entry, 1, 60'000) == 1;
}

TBS_RESULT take(TBS_HCONTEXT context, TBSX_REQUEST request, INT32 timeout) {
  BYTE result[64];
  UINT32 size = sizeof result;
  return Tbsx_Submit_Result(context, request, result, &size, timeout);
}

TBSX_REQUEST begin(TBS_HCONTEXT context) {
  const auto command = tpm_message(TPM2_CC_GetRandom, kSize);
  TBSX_REQUEST request = 0;
  REQUIRE(Tbsx_Submit_Begin(context, 0, 0, command.data(), kSize, &request) == TBS_SUCCESS);
  return request;
}

}  // namespace

TEST_CASE("Submit_Timeout: what is checked before anything is sent") {
  FakeDaemon daemon(test::echo);
  TBS_HCONTEXT context = connect(daemon);
  const auto command = tpm_message(TPM2_CC_GetRandom, kSize);
  BYTE result[64];
  UINT32 size = sizeof result;
  const auto submit = [&](TBS_HCONTEXT handle, PCBYTE bytes, UINT32 count, PBYTE room,
                          PUINT32 room_size) {
    return Tbsx_Submit_Timeout(handle, 0, 0, bytes, count, room, room_size, 1000);
  };
  CHECK(submit(nullptr, command.data(), kSize, result, &size) == TBS_E_INVALID_CONTEXT);
  CHECK(submit(context, nullptr, kSize, result, &size) == TBS_E_BAD_PARAMETER);
  CHECK(submit(context, command.data(), kSize - 1, result, &size) == TBS_E_BAD_PARAMETER);
  CHECK(submit(context, command.data(), kSize, nullptr, &size) == TBS_E_INVALID_OUTPUT_POINTER);
  CHECK(submit(context, command.data(), kSize, result, nullptr) == TBS_E_INVALID_OUTPUT_POINTER);
  const auto large = tpm_message(1, 5000);
  CHECK(submit(context, large.data(), 5000, result, &size) == TBS_E_BUFFER_TOO_LARGE);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

TEST_CASE("Submit_Timeout: a response in time, also one that is too large") {
  FakeDaemon daemon(test::echo);
  TBS_HCONTEXT context = connect(daemon);
  const auto command = tpm_message(TPM2_CC_GetRandom, kSize);
  // Each answer that is lost gives its place back: there are 32.
  for (int i = 0; i < 70; ++i) {
    BYTE result[64];
    UINT32 size = i % 2 == 0 ? sizeof result : 3;
    const TBS_RESULT expected = i % 2 == 0 ? TBS_SUCCESS : TBS_E_INSUFFICIENT_BUFFER;
    const INT32 timeout = i % 3 == 0 ? -1 : 60'000;
    REQUIRE(Tbsx_Submit_Timeout(context, 0, 0, command.data(), kSize, result, &size, timeout) ==
            expected);
    REQUIRE(size == kSize);
  }
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

TEST_CASE("Submit_Timeout: a command that is late is cancelled") {
  Patient patient;
  FakeDaemon daemon(std::ref(patient));
  TBS_HCONTEXT context = connect(daemon);
  for (int i = 1; i <= 40; ++i) {
    REQUIRE(submit(context, i % 2) == TBSX_E_TIMED_OUT);
    REQUIRE(patient.cancels == i);
  }
  // What else the context has outstanding is cancelled with it.
  const TBSX_REQUEST other = begin(context);
  REQUIRE(submit(context, 1) == TBSX_E_TIMED_OUT);
  REQUIRE(take(context, other, -1) == TBS_E_COMMAND_CANCELED);
  patient.answers = true;
  REQUIRE(submit(context, -1) == TBS_SUCCESS);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

TEST_CASE(
    "Submit_Timeout: with a daemon that stands still it ends as well, and nothing is mixed up") {
  Patient patient;
  patient.heeds_cancel = false;
  FakeDaemon daemon(std::ref(patient));
  TBS_HCONTEXT context = connect(daemon);
  int descriptor = -1;
  REQUIRE(Tbsx_Get_Poll_Descriptor(context, &descriptor) == TBS_SUCCESS);
  REQUIRE(submit(context, 0) == TBSX_E_TIMED_OUT);
  // Nobody waits for the late response: it wakes no loop, and is no other command's.
  patient.answers = true;
  REQUIRE(submit(context, -1) == TBS_SUCCESS);
  CHECK_FALSE(readable(descriptor));
  for (int i = 0; i < 40; ++i) REQUIRE(take(context, begin(context), -1) == TBS_SUCCESS);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

TEST_CASE("Submit_Timeout: no service in time") {
  std::atomic<bool> greets = true;
  std::atomic<bool> ended = false;
  FakeDaemon daemon([&](Peer& peer) {
    if (greets) {
      peer.handshake(test::usual_terms());
      peer.next();
      return;
    }
    while (!ended) std::this_thread::yield();
  });
  TBS_HCONTEXT context = connect(daemon);
  greets = false;
  CHECK(submit(context, 100) == TBS_E_IOERROR);
  CHECK(submit(context, 100) == TBS_E_SERVICE_START_PENDING);
  ended = true;
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

TEST_CASE("Get_Cancel_Descriptor: the same each time, and gone with the context") {
  FakeDaemon daemon(test::echo);
  TBS_HCONTEXT context = connect(daemon);
  int descriptor = -1;
  CHECK(Tbsx_Get_Cancel_Descriptor(nullptr, &descriptor) == TBS_E_INVALID_CONTEXT);
  CHECK(Tbsx_Get_Cancel_Descriptor(context, nullptr) == TBS_E_INVALID_OUTPUT_POINTER);
  REQUIRE(Tbsx_Get_Cancel_Descriptor(context, &descriptor) == TBS_SUCCESS);
  int same = -1;
  REQUIRE(Tbsx_Get_Cancel_Descriptor(context, &same) == TBS_SUCCESS);
  CHECK(same == descriptor);
  CHECK(::fcntl(descriptor, F_GETFL) != -1);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
  CHECK(::fcntl(descriptor, F_GETFL) == -1);
}

TEST_CASE("Get_Cancel_Descriptor: a thread that waits for a response passes the cancel on") {
  Patient patient;
  FakeDaemon daemon(std::ref(patient));
  TBS_HCONTEXT context = connect(daemon);
  int descriptor = -1;
  REQUIRE(Tbsx_Get_Cancel_Descriptor(context, &descriptor) == TBS_SUCCESS);
  for (int i = 0; i < 50; ++i) {
    std::atomic<int> canceled = 0;
    std::vector<std::jthread> threads;
    for (int j = 0; j < 3; ++j) {
      threads.emplace_back([&] {
        if (submit(context, -1) == TBS_E_COMMAND_CANCELED) ++canceled;
      });
    }
    // A command that comes after a cancel is met by the next.
    while (canceled < 3) {
      write_one(descriptor);
      std::this_thread::yield();
    }
    threads.clear();
    UINT64 left = 0;
    (void)!::read(descriptor, &left, sizeof left);
  }
  patient.answers = true;
  REQUIRE(submit(context, -1) == TBS_SUCCESS);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

TEST_CASE("Get_Cancel_Descriptor: what is written early meets the next command, or is taken back") {
  Patient patient;
  FakeDaemon daemon(std::ref(patient));
  TBS_HCONTEXT context = connect(daemon);
  int descriptor = -1;
  REQUIRE(Tbsx_Get_Cancel_Descriptor(context, &descriptor) == TBS_SUCCESS);
  write_one(descriptor);
  write_one(descriptor);
  REQUIRE(submit(context, -1) == TBS_E_COMMAND_CANCELED);
  REQUIRE(patient.cancels == 1);
  write_one(descriptor);
  UINT64 count = 0;
  REQUIRE(::read(descriptor, &count, sizeof count) == sizeof count);
  patient.answers = true;
  REQUIRE(submit(context, -1) == TBS_SUCCESS);
  REQUIRE(patient.cancels == 1);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

TEST_CASE("Get_Cancel_Descriptor: an event loop sees a cancel at its poll descriptor") {
  // In whichever order the loop asks for the two.
  const int order = GENERATE(0, 1, 2);
  Patient patient;
  FakeDaemon daemon(std::ref(patient));
  TBS_HCONTEXT context = connect(daemon);
  int poll = -1;
  int cancel = -1;
  TBSX_REQUEST request = 0;
  if (order == 0) REQUIRE(Tbsx_Get_Cancel_Descriptor(context, &cancel) == TBS_SUCCESS);
  if (order == 2) request = begin(context);
  REQUIRE(Tbsx_Get_Poll_Descriptor(context, &poll) == TBS_SUCCESS);
  if (order == 1) request = begin(context);
  REQUIRE(Tbsx_Get_Cancel_Descriptor(context, &cancel) == TBS_SUCCESS);
  if (order == 0) request = begin(context);
  REQUIRE_FALSE(readable(poll));
  write_one(cancel);
  TBS_RESULT result = TBSX_E_PENDING;
  while (result == TBSX_E_PENDING) {
    REQUIRE(turns_readable(poll));
    result = take(context, request, 0);
  }
  REQUIRE(result == TBS_E_COMMAND_CANCELED);
  REQUIRE_FALSE(readable(poll));
  // With nothing outstanding it does not keep the loop busy.
  write_one(cancel);
  REQUIRE_FALSE(readable(poll));
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

TEST_CASE("Cancel_Request: one command ends, and the others go on") {
  Patient patient;
  FakeDaemon daemon(std::ref(patient));
  TBS_HCONTEXT context = connect(daemon);
  const TBSX_REQUEST first = begin(context);
  const TBSX_REQUEST second = begin(context);
  const TBSX_REQUEST third = begin(context);
  CHECK(Tbsx_Cancel_Request(nullptr, second) == TBS_E_INVALID_CONTEXT);
  CHECK(Tbsx_Cancel_Request(context, third + 1) == TBS_E_BAD_PARAMETER);
  REQUIRE(Tbsx_Cancel_Request(context, second) == TBS_SUCCESS);
  REQUIRE(take(context, second, -1) == TBS_E_COMMAND_CANCELED);
  CHECK(Tbsx_Cancel_Request(context, second) == TBS_E_BAD_PARAMETER);
  CHECK(take(context, first, 0) == TBSX_E_PENDING);
  CHECK(take(context, third, 0) == TBSX_E_PENDING);
  // A thread that waits for it has no part in that.
  TBS_RESULT ended = TBS_SUCCESS;
  std::jthread thread([&] { ended = take(context, third, -1); });
  REQUIRE(Tbsx_Cancel_Request(context, third) == TBS_SUCCESS);
  thread.join();
  CHECK(ended == TBS_E_COMMAND_CANCELED);
  CHECK(patient.cancels == 2);
  patient.answers = true;
  REQUIRE(take(context, begin(context), -1) == TBS_SUCCESS);
  // What is there already stays as it is, and needs no daemon.
  REQUIRE(Tbsx_Cancel_Request(context, first) == TBS_SUCCESS);
  REQUIRE(take(context, first, -1) == TBS_SUCCESS);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

TEST_CASE("Cancel_Request: an older daemon is not asked, and nothing is cancelled") {
  Patient patient(1);
  FakeDaemon daemon(std::ref(patient));
  TBS_HCONTEXT context = connect(daemon);
  const TBSX_REQUEST first = begin(context);
  const TBSX_REQUEST second = begin(context);
  CHECK(Tbsx_Cancel_Request(context, first) == TBSX_E_NOT_SUPPORTED);
  CHECK(std::string(Tbsx_Result_Name(TBSX_E_NOT_SUPPORTED)) == "TBSX_E_NOT_SUPPORTED");
  CHECK(patient.cancels == 0);
  CHECK(take(context, first, 0) == TBSX_E_PENDING);
  REQUIRE(Tbsip_Cancel_Commands(context) == TBS_SUCCESS);
  CHECK(take(context, first, -1) == TBS_E_COMMAND_CANCELED);
  CHECK(take(context, second, -1) == TBS_E_COMMAND_CANCELED);
  REQUIRE(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

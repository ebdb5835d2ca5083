#include "client/tbsctl/connection/conversation.h"

#include <deque>
#include <sstream>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/commands.h"
#include "client/tbsctl/contexts/context_pages.h"

using namespace tbs::ctl;
namespace proto = tbs::proto;

namespace {

// A daemon of recorded answers: each request takes the next one. Bytes are handed over in small
// pieces, as a socket may.
struct Recorded {
  std::deque<proto::Buffer> answers;
  std::vector<proto::Buffer> requests;
};

class RecordedStream : public Stream {
 public:
  explicit RecordedStream(Recorded& recorded) : recorded_(recorded) {}

  std::expected<void, Failure> send(proto::Bytes bytes) override {
    recorded_.requests.emplace_back(bytes.begin(), bytes.end());
    if (recorded_.answers.empty()) return std::unexpected(lost());
    const proto::Buffer& answer = recorded_.answers.front();
    pending_.insert(pending_.end(), answer.begin(), answer.end());
    recorded_.answers.pop_front();
    return {};
  }

  std::expected<std::size_t, Failure> receive(std::span<std::uint8_t> room, Patience) override {
    constexpr std::size_t kPiece = 7;
    const std::size_t count = std::min({room.size(), pending_.size(), kPiece});
    if (count == 0) return std::unexpected(lost());
    for (std::size_t i = 0; i < count; ++i) {
      room[i] = pending_.front();
      pending_.pop_front();
    }
    return count;
  }

 private:
  static Failure lost() { return {.exit = Exit::Unreachable, .message = "lost"}; }

  Recorded& recorded_;
  std::deque<std::uint8_t> pending_;
};

struct Fixture {
  Recorded recorded;
  Conversation daemon{std::make_unique<RecordedStream>(recorded)};
  std::ostringstream out;
  std::ostringstream notes;

  // Requests are numbered from 1.
  template <typename Answer>
  void answer(Answer message) {
    proto::Buffer frame;
    proto::append_frame(frame, ++last_id, message);
    recorded.answers.push_back(frame);
  }
  Console console(bool json = false) { return {.out = out, .notes = notes, .json = json}; }
  template <typename Request>
  Request request(std::size_t index) {
    const proto::Bytes frame(recorded.requests.at(index));
    return proto::decode<Request>(frame.subspan(proto::kFrameHeaderSize)).value();
  }

  std::uint64_t last_id = 0;
};

proto::ContextEntry entry(std::uint64_t context) {
  return {.context = context, .uid = 0, .pid = 7, .priority = 200, .program = "tpm2"};
}

const proto::Buffer kRandomResponse = {0x80, 0x01, 0, 0, 0, 16, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4};

}  // namespace

TEST_CASE_METHOD(Fixture, "all pages of the contexts are fetched", "[tbsctl][contexts]") {
  answer(proto::ContextList{.more = 1, .entries = {entry(3), entry(9)}});
  answer(proto::ContextList{.more = 1, .entries = {entry(10)}});
  answer(proto::ContextList{.more = 0, .entries = {entry(40)}});
  const auto all = all_contexts(daemon);
  REQUIRE(all.has_value());
  REQUIRE(all->size() == 4);
  CHECK(all->back().context == 40);
  REQUIRE(recorded.requests.size() == 3);
  CHECK(request<proto::ListContexts>(0).after == 0);
  CHECK(request<proto::ListContexts>(1).after == 9);
  CHECK(request<proto::ListContexts>(2).after == 10);
}

TEST_CASE_METHOD(Fixture, "pages that do not advance end the listing", "[tbsctl][contexts]") {
  answer(proto::ContextList{.more = 1, .entries = {entry(3)}});
  SECTION("the same page again") {
    answer(proto::ContextList{.more = 1, .entries = {entry(3)}});
    const auto all = all_contexts(daemon);
    REQUIRE_FALSE(all.has_value());
    CHECK(all.error().exit == Exit::Failed);
  }
  SECTION("an empty page that promises more") {
    answer(proto::ContextList{.more = 1});
    CHECK(all_contexts(daemon)->size() == 1);
  }
}

TEST_CASE_METHOD(Fixture, "a detached command is visible as such", "[tbsctl][contexts]") {
  proto::ContextEntry detached = entry(5);
  detached.running = 2;
  detached.command = 0x131;
  detached.running_us = 1'500'000;
  proto::ContextEntry waiting = entry(6);
  waiting.queued = 3;
  proto::ContextEntry running = entry(7);
  running.running = 1;
  running.command = 0x17B;
  running.running_us = 2000;
  answer(proto::ContextList{.entries = {detached, waiting, running, entry(8)}});
  SECTION("in the table") {
    REQUIRE(run_contexts(daemon, console()).has_value());
    CHECK(out.str().find("detached  CreatePrimary for 1.5 s (cancelled") != std::string::npos);
    CHECK(out.str().find("waiting   -\n") != std::string::npos);
    CHECK(out.str().find("running   GetRandom for 2 ms\n") != std::string::npos);
    CHECK(out.str().find("idle      -\n") != std::string::npos);
    CHECK(out.str().find("root") != std::string::npos);
  }
  SECTION("in JSON") {
    REQUIRE(run_contexts(daemon, console(true)).has_value());
    const auto json = nlohmann::json::parse(out.str());
    REQUIRE(json.size() == 4);
    CHECK(json[0]["state"] == "detached");
    CHECK(json[0]["command"]["name"] == "CreatePrimary");
    CHECK(json[0]["running_us"] == 1'500'000);
    CHECK(json[1]["state"] == "waiting");
    CHECK(json[1]["command"].is_null());
    CHECK(json[3]["state"] == "idle");
    CHECK(json[3]["user"] == "root");
  }
}

TEST_CASE_METHOD(Fixture, "a program's name that is not UTF-8 makes valid JSON",
                 "[tbsctl][contexts]") {
  proto::ContextEntry strange = entry(5);
  strange.program = "a\xff\x1b";
  answer(proto::ContextList{.entries = {strange}});
  REQUIRE(run_contexts(daemon, console(true)).has_value());
  CHECK(nlohmann::json::parse(out.str()).size() == 1);
}

TEST_CASE_METHOD(Fixture, "a refused cancel says why", "[tbsctl][cancel]") {
  SECTION("another user's") {
    answer(proto::CancelContextReply{.status = proto::Status::AccessDenied});
    const auto outcome = run_cancel(daemon, console(), 12);
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.error().exit == Exit::Tbs);
    CHECK(outcome.error().message.find("context 12: it belongs to another user") !=
          std::string::npos);
  }
  SECTION("no such context") {
    answer(proto::CancelContextReply{.status = proto::Status::InvalidContext});
    CHECK(run_cancel(daemon, console(), 12).error().message.find("there is none") !=
          std::string::npos);
  }
  CHECK(request<proto::CancelContext>(0).context == 12);
  CHECK(out.str().empty());
}

TEST_CASE_METHOD(Fixture, "a refusal's reason reaches the user", "[tbsctl][conversation]") {
  answer(proto::Refusal{.status = proto::Status::TooManyContexts, .reason = "100 are\nopen"});
  const auto hello = daemon.handshake(proto::Role::Context, proto::kWantTpm20);
  REQUIRE_FALSE(hello.has_value());
  CHECK(hello.error().exit == Exit::Tbs);
  CHECK(hello.error().message.find("\"100 are?open\"") != std::string::npos);
  CHECK(hello.error().message.find("TBS_E_TOO_MANY_TBS_CONTEXTS") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a hello that is not accepted is a TBS error", "[tbsctl][conversation]") {
  answer(proto::HelloReply{.status = proto::Status::ServiceStartPending});
  const auto hello = daemon.handshake(proto::Role::Observer, 0);
  REQUIRE_FALSE(hello.has_value());
  CHECK(hello.error().exit == Exit::Tbs);
}

TEST_CASE_METHOD(Fixture, "a daemon that breaks the protocol is told from one that is gone",
                 "[tbsctl][conversation]") {
  SECTION("gone") {
    CHECK(daemon.ask(proto::DaemonStatus{}).error().exit == Exit::Unreachable);
  }
  SECTION("another answer") {
    answer(proto::DeviceInfoReply{});
    CHECK(daemon.ask(proto::DaemonStatus{}).error().exit == Exit::Failed);
  }
  SECTION("another request's answer") {
    last_id = 5;
    answer(proto::DaemonStatusReply{});
    CHECK(daemon.ask(proto::DaemonStatus{}).error().exit == Exit::Failed);
  }
  SECTION("no frame") {
    recorded.answers.push_back(proto::Buffer(16, 0xEE));
    CHECK(daemon.ask(proto::DaemonStatus{}).error().exit == Exit::Failed);
  }
}

TEST_CASE_METHOD(Fixture, "random asks until it has all bytes", "[tbsctl][random]") {
  for (int i = 0; i < 3; ++i) answer(proto::Result{.response = kRandomResponse});
  SECTION("in hexadecimal") {
    REQUIRE(run_random(daemon, console(), 12, false).has_value());
    CHECK(out.str() == "010203040102030401020304\n");
  }
  SECTION("as bytes") {
    REQUIRE(run_random(daemon, console(), 12, true).has_value());
    CHECK(out.str() == "\x01\x02\x03\x04\x01\x02\x03\x04\x01\x02\x03\x04");
  }
  SECTION("as JSON") {
    REQUIRE(run_random(daemon, console(true), 12, false).has_value());
    CHECK(nlohmann::json::parse(out.str())["random"] == "010203040102030401020304");
  }
  const auto last = request<proto::Submit>(2);
  CHECK(last.command.back() == 4);
}

TEST_CASE_METHOD(Fixture, "random does not take more or less than a TPM may give",
                 "[tbsctl][random]") {
  proto::Buffer response = kRandomResponse;
  SECTION("more than asked for") {
    answer(proto::Result{.response = response});
    CHECK(run_random(daemon, console(), 3, false).error().exit == Exit::Failed);
  }
  SECTION("nothing") {
    response = {0x80, 0x01, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0};
    answer(proto::Result{.response = response});
    CHECK(run_random(daemon, console(), 3, false).error().exit == Exit::Failed);
  }
  SECTION("an error") {
    response = {0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x09, 0x22};
    answer(proto::Result{.response = response});
    const auto outcome = run_random(daemon, console(), 3, false);
    CHECK(outcome.error().exit == Exit::Tpm);
    CHECK(outcome.error().message.find("TPM_RC_RETRY") != std::string::npos);
  }
}

TEST_CASE_METHOD(Fixture, "submit prints the response and its code in words", "[tbsctl][submit]") {
  SubmitRequest submit{
      .command = {0x80, 0x01, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 4}, .priority = 300, .locality = 1};
  SECTION("success") {
    answer(proto::Result{.response = kRandomResponse});
    REQUIRE(run_submit(daemon, console(), submit).has_value());
    CHECK(out.str() == "80010000001000000000000401020304\n");
    CHECK(notes.str() == "tbsctl: the TPM answered TPM_RC_SUCCESS (0x00000000): success\n");
    const auto sent = request<proto::Submit>(0);
    CHECK(sent.priority == 300);
    CHECK(sent.locality == 1);
    CHECK(std::ranges::equal(sent.command, submit.command));
  }
  SECTION("an error of the TPM still prints the response") {
    const proto::Buffer response = {0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x02, 0xC4};
    answer(proto::Result{.response = response});
    const auto outcome = run_submit(daemon, console(true), submit);
    CHECK(outcome.error().exit == Exit::Tpm);
    CHECK(outcome.error().message.find("parameter 2") != std::string::npos);
    CHECK(nlohmann::json::parse(out.str())["response_code"] == 0x2C4);
  }
  SECTION("cancelled") {
    answer(proto::Result{.status = proto::Status::CommandCanceled});
    const auto outcome = run_submit(daemon, console(), submit);
    CHECK(outcome.error().exit == Exit::Tbs);
    CHECK(outcome.error().message.find("TBS_E_COMMAND_CANCELED") != std::string::npos);
    CHECK(out.str().empty());
  }
  SECTION("no TPM response") {
    const proto::Buffer response = {1, 2, 3};
    answer(proto::Result{.response = response});
    CHECK(run_submit(daemon, console(), submit).error().exit == Exit::Failed);
  }
}

TEST_CASE_METHOD(Fixture, "info and status are printed for people and as JSON",
                 "[tbsctl][status]") {
  const proto::DeviceInfoReply info{.tpm_version = 2,
                                    .interface_type = 4,
                                    .revision = 159,
                                    .max_command = 4096,
                                    .manufacturer = "IBM ",
                                    .device = "embedded"};
  answer(info);
  REQUIRE(run_info(daemon, console()).has_value());
  CHECK(out.str().find("Specification revision:  1.59\n") != std::string::npos);
  out.str("");
  answer(proto::DaemonStatusReply{.device_state = proto::DeviceState::Down,
                                  .uptime_us = 61'000'000,
                                  .version = "1",
                                  .device = "/dev/tpm0"});
  REQUIRE(run_status(daemon, console()).has_value());
  CHECK(out.str().find("/dev/tpm0 (down)\n") != std::string::npos);
  CHECK(out.str().find("1 min 1 s\n") != std::string::npos);
  out.str("");
  answer(proto::DaemonStatusReply{.device_state = proto::DeviceState::Ready, .commands = 9});
  REQUIRE(run_status(daemon, console(true)).has_value());
  CHECK(nlohmann::json::parse(out.str())["device_state"] == "ready");
  out.str("");
  answer(info);
  REQUIRE(run_info(daemon, console(true)).has_value());
  CHECK(nlohmann::json::parse(out.str())["tpm_version"] == "2.0");
}

#include "client/tbsctl/top/top_look.h"

#include "client/tbsctl/top/top_view.h"
#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/recorded_daemon.h"
#include "tests/unit/tbsctl/top/top_samples.h"

using namespace tbs::ctl;
using namespace tbs::test;
using namespace std::chrono_literals;
namespace proto = tbs::proto;

namespace {

// A daemon that can be connected to several times; requests of each connection are numbered anew.
struct Connections {
  void connection() {
    last_id = 0;
    daemons.emplace_back();
    answer(proto::HelloReply{});
  }
  template <typename Answer>
  void answer(Answer message) {
    proto::Buffer frame;
    proto::append_frame(frame, ++last_id, message);
    daemons.back().answers.push_back(frame);
  }
  void answer_look(std::uint64_t uptime_us, std::vector<std::uint64_t> numbers = {7}) {
    proto::ActivityList activity;
    proto::ContextList contexts;
    for (const std::uint64_t number : numbers) {
      activity.entries.push_back({.context = number, .tpm_us = uptime_us / 2});
      contexts.entries.push_back({.context = number, .program = "prog"});
    }
    answer(proto::DaemonStatusReply{.uptime_us = uptime_us, .version = "1"});
    answer(activity);
    answer(contexts);
  }
  TopLook look_at_all(std::chrono::milliseconds interval = 0ms) {
    return TopLook(
        [this](tbs::client::Deadline) -> std::expected<std::unique_ptr<Stream>, Failure> {
          if (next == daemons.size()) {
            return std::unexpected(Failure{.exit = Exit::Unreachable, .message = "not there"});
          }
          return std::make_unique<RecordedStream>(daemons[next++]);
        },
        interval);
  }

  std::deque<Recorded> daemons;
  std::size_t next = 0;
  std::uint64_t last_id = 0;
};

std::string joined(const std::vector<ScreenLine>& lines) {
  std::string all;
  for (const ScreenLine& line : lines) all += line.text + "\n";
  return all;
}

}  // namespace

TEST_CASE_METHOD(Connections, "looks over a restart of the daemon", "[tbsctl][top][look]") {
  connection();
  answer_look(1'000'000);
  answer_look(2'000'000);
  connection();
  answer_look(3'000);
  TopLook look = look_at_all();
  REQUIRE(look.look().has_value());
  CHECK(look.before() == nullptr);
  CHECK(find_context(*look.sample(), 7)->activity.tpm_us == 500'000);
  REQUIRE(look.look().has_value());
  REQUIRE(look.before() != nullptr);
  CHECK(look.before()->status.uptime_us == 1'000'000);
  // It goes, and another one comes.
  CHECK_FALSE(look.look().has_value());
  CHECK(look.sample() == nullptr);
  REQUIRE(look.look().has_value());
  CHECK(look.before() == nullptr);
  CHECK(look.look().error().exit == Exit::Unreachable);
  CHECK(look.look().error().message == "not there");
}

TEST_CASE_METHOD(Connections, "a daemon that counts anew on the same connection",
                 "[tbsctl][top][look]") {
  connection();
  answer_look(2'000'000);
  answer_look(1'000);
  TopLook look = look_at_all();
  REQUIRE(look.look().has_value());
  REQUIRE(look.look().has_value());
  CHECK(look.before() == nullptr);
}

TEST_CASE_METHOD(Connections, "a look soon after the last one begins no new interval",
                 "[tbsctl][top][look]") {
  connection();
  for (const std::uint64_t uptime : {1'000U, 2'000U, 3'000U}) answer_look(uptime);
  TopLook look = look_at_all(1h);
  for (int time = 0; time < 3; ++time) REQUIRE(look.look().has_value());
  CHECK(look.before()->status.uptime_us == 1'000);
  CHECK(look.sample()->status.uptime_us == 3'000);
}

TEST_CASE_METHOD(Connections, "a context that came between the questions", "[tbsctl][top][look]") {
  connection();
  answer(proto::DaemonStatusReply{});
  answer(
      proto::ActivityList{.entries = {{.context = 3, .tpm_us = 5}, {.context = 4, .tpm_us = 6}}});
  answer(proto::ContextList{.entries = {{.context = 4}, {.context = 9}}});
  TopLook look = look_at_all();
  REQUIRE(look.look().has_value());
  REQUIRE(look.sample()->contexts.size() == 2);
  CHECK(find_context(*look.sample(), 3) == nullptr);
  CHECK(find_context(*look.sample(), 4)->activity.tpm_us == 6);
  CHECK(find_context(*look.sample(), 9)->activity.tpm_us == 0);
}

TEST_CASE_METHOD(Connections, "keys open a context, and cancel", "[tbsctl][top][look]") {
  connection();
  answer_look(1'000);
  answer(proto::HoldingList{.entries = {{.handle = 0x80000001, .loaded = 1}}});
  answer(proto::CancelContextReply{});
  answer_look(2'000);
  TopLook look = look_at_all();
  TopView view(look, TopOrder::Time, TopGroup::Context);
  const ScreenSize size{};
  view.look();
  CHECK(view.type("\r", size));
  CHECK(joined(view.draw(size)).contains("0x80000001  object  on the TPM"));
  CHECK(view.type("\x1b", size));
  CHECK(view.type("cy", size));
  CHECK(joined(view.draw(size)).contains("cancelled what context 7 had outstanding"));
  CHECK(proto::decode<proto::CancelContext>(
            proto::Bytes(daemons[0].requests.at(5)).subspan(proto::kFrameHeaderSize))
            ->context == 7);
  CHECK_FALSE(view.type("q", size));
}

TEST_CASE_METHOD(Connections, "what cannot be done is said, and nothing ends",
                 "[tbsctl][top][look]") {
  connection();
  answer_look(1'000);
  // It is asked again after each key.
  answer(proto::HoldingList{.status = proto::Status::AccessDenied});
  answer(proto::HoldingList{.status = proto::Status::AccessDenied});
  answer(proto::CancelContextReply{.status = proto::Status::AccessDenied});
  answer_look(2'000, {});
  TopLook look = look_at_all();
  TopView view(look, TopOrder::Time, TopGroup::Context);
  const ScreenSize size{.width = 120};
  view.look();
  CHECK(view.type("\r", size));
  CHECK(joined(view.draw(size)).contains("belongs to another user"));
  CHECK(view.type("cy", size));
  CHECK(joined(view.draw(size)).contains("cannot cancel context 7"));
  // It has closed meanwhile, and then the daemon is gone.
  CHECK(joined(view.draw(size)).contains("It has closed."));
  view.look();
  CHECK(joined(view.draw(size)).starts_with("tbsd does not answer; trying again\n"));
  CHECK(view.type("\x1b", size));
  view.look();
  CHECK(joined(view.draw(size)).contains("\nnot there\n"));
}

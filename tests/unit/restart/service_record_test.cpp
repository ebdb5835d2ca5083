#include "daemon/restart/service_record.h"

#include <map>
#include <random>
#include <string>

#include "daemon/base/record.h"
#include "daemon/restart/left_record.h"
#include "proto/message_codec.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::restart;

namespace {

const JournalHeading kHeading{.format = kRecordFormat, .build = "1.2-3", .tpm = "/dev/tpm0"};

proto::Buffer request(std::uint64_t id) {
  proto::Buffer bytes;
  proto::append_frame(bytes, id, proto::Cancel{});
  return bytes;
}
proto::Buffer answer(std::uint64_t id) {
  proto::Buffer bytes;
  proto::append_frame(bytes, id, proto::CancelReply{.status = proto::Status::Success});
  return bytes;
}

proto::Buffer opening(std::uint64_t context) {
  proto::Buffer bytes;
  RecordWriter record(bytes);
  record(context);
  return bytes;
}

proto::Buffer copy(proto::Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

// Where a request is among all. The numbers themselves may differ.
std::size_t rank(const RecordProgress& progress, std::uint64_t order) {
  std::size_t before = 0;
  for (const auto& [id, client] : progress.clients.all()) {
    for (const KeptRequest& one : client.requests) before += one.order < order ? 1 : 0;
  }
  return before;
}

// Everything that it says, to be compared.
std::string text_of(const RecordProgress& progress) {
  std::string text = std::to_string(progress.sending) + " " + std::to_string(progress.transfer) +
                     " " + std::to_string(progress.clients.last());
  text += " h" + std::string(progress.handover.begin(), progress.handover.end());
  for (const std::uint64_t context : progress.contexts) text += " c" + std::to_string(context);
  const auto add = [&text](proto::Bytes bytes) {
    text += '[';
    text.append(bytes.begin(), bytes.end());
    text += ']';
  };
  for (const auto& [id, client] : progress.clients.all()) {
    text += "\n" + std::to_string(id);
    add(client.peer);
    add(client.opened);
    add(client.input.bytes());
    add(client.output.bytes());
    for (const KeptRequest& one : client.requests) {
      text += " " + std::to_string(rank(progress, one.order)) + ":" + std::to_string(one.id);
      add(one.frame);
    }
  }
  return text;
}

class Bench {
 public:
  explicit Bench(std::size_t size = std::size_t{4} << 20)
      : memory_((size + 7) / 8), record_(begin()) {}

  [[nodiscard]] std::span<std::uint8_t> memory() {
    return {reinterpret_cast<std::uint8_t*>(memory_.data()), memory_.size() * 8};
  }
  [[nodiscard]] ServiceRecord& record() { return record_; }
  std::expected<LeftRecord, std::string> left() {
    const auto contents = read_journal(memory(), kRecordFormat);
    if (!contents) return std::unexpected(contents.error().reason);
    return read_record(contents->entries);
  }
  // As another process takes it up.
  void go_on() {
    const auto contents = read_journal(memory(), kRecordFormat);
    REQUIRE(contents);
    auto left = read_record(contents->entries);
    REQUIRE(left);
    record_ = ServiceRecord(Journal::resume(memory(), contents->position, kHeading),
                            std::move(left->progress));
  }

 private:
  Journal begin() {
    auto journal = Journal::begin(memory(), kHeading);
    REQUIRE(journal);
    return *std::move(journal);
  }

  std::vector<std::uint64_t> memory_;
  ServiceRecord record_;
};

// What clients and the engine do, by chance.
class Life {
 public:
  Life(ServiceRecord& record, unsigned seed) : record_(record), random_(seed) {}

  void step() {
    switch (random_() % 9) {
      case 0:
        return connect();
      case 1:
        return open();
      case 2:
      case 3:
        return receive();
      case 4:
        return handle();
      case 5:
        return reply();
      case 6:
        return send();
      case 7:
        return hand_over();
      default:
        return leave();
    }
  }

 private:
  std::uint64_t someone() {
    const auto& all = record_.progress().clients.all();
    if (all.empty()) connect();
    auto chosen = all.begin();
    std::advance(chosen, static_cast<std::ptrdiff_t>(random_() % all.size()));
    return chosen->first;
  }
  void connect() { record_.connected(++last_, proto::Buffer{'p'}); }
  void open() {
    const std::uint64_t id = someone();
    record_.append({.kind = InputKind::OpenContext, .bytes = opening(id)});
    record_.opened(id, proto::Buffer{'o'});
  }
  void receive() {
    const std::uint64_t id = someone();
    record_.received(id, record_.progress().transfer + 1, request(++requests_));
  }
  void handle() {
    const std::uint64_t id = someone();
    const std::size_t size = request(0).size();
    if (record_.progress().clients.find(id)->input.size() >= size) record_.handled(id, size);
  }
  void reply() {
    const std::uint64_t id = someone();
    const auto& requests = record_.progress().clients.find(id)->requests;
    if (!requests.empty()) record_.queued(id, answer(requests[random_() % requests.size()].id));
  }
  void send() {
    const std::uint64_t id = someone();
    const std::size_t size = record_.progress().clients.find(id)->output.size();
    if (size > 0) record_.sent(id, record_.progress().transfer + 1, 1 + random_() % size);
  }
  void hand_over() {
    record_.handed_over(random_() % 2 == 0 ? proto::Buffer{} : proto::Buffer{'a', 'b'});
  }
  void leave() {
    if (random_() % 4 != 0) return;
    const std::uint64_t id = someone();
    record_.gone(id);
    record_.append({.kind = InputKind::CloseContext, .bytes = opening(id)});
  }

  ServiceRecord& record_;
  std::minstd_rand random_;
  std::uint64_t last_ = 0;
  std::uint64_t requests_ = 0;
};

}  // namespace

TEST_CASE("nothing can be restored before the first compaction", "[restart][record]") {
  Bench bench;
  bench.record().connected(1, proto::Buffer{'p'});
  bench.record().commit();
  CHECK_FALSE(bench.record().restorable());
  CHECK(bench.record().wants_compaction());
  CHECK_FALSE(bench.left());
  REQUIRE(bench.record().compact({.state = {1, 2, 3}, .inputs = {}}));
  CHECK(bench.record().restorable());
  CHECK_FALSE(bench.record().wants_compaction());
  const auto left = bench.left();
  REQUIRE(left);
  CHECK(copy(left->engine_state) == proto::Buffer{1, 2, 3});
  CHECK(left->progress.clients.find(1) != nullptr);
}

TEST_CASE("what a successor reads is what was written down", "[restart][record]") {
  const unsigned seed = GENERATE(range(1U, 13U));
  Bench bench;
  Life life(bench.record(), seed);
  REQUIRE(bench.record().compact({.state = {9}, .inputs = {}}));
  for (unsigned step = 0; step < 400; ++step) {
    life.step();
    const std::uint64_t sending = bench.record().sending();
    if (step % 37 == 0) REQUIRE(bench.record().compact({.state = {9}, .inputs = {}}));
    if (step % 53 == 0) bench.go_on();
    const auto left = bench.left();
    if (!left) FAIL(left.error());
    CHECK(left->progress.sending == sending);
    if (text_of(left->progress) != text_of(bench.record().progress())) {
      FAIL(text_of(left->progress) + "\nis not\n" + text_of(bench.record().progress()));
    }
  }
}

TEST_CASE("a command belongs to one request, though its number is used again",
          "[restart][record]") {
  Bench bench;
  REQUIRE(bench.record().compact({.state = {1}, .inputs = {}}));
  ServiceRecord& record = bench.record();
  const auto submit = [&record](std::uint64_t transfer) {
    proto::Buffer frame;
    proto::append_frame(frame, 7, proto::Submit{.priority = 200, .command = proto::Buffer(10)});
    record.received(5, transfer, frame);
    record.handled(5, frame.size());
  };
  const auto execute = [&record] {
    proto::Buffer bytes = opening(5);
    const proto::Buffer request = opening(7);
    bytes.insert(bytes.end(), request.begin(), request.end());
    record.append({.kind = InputKind::Execute, .bytes = bytes});
  };
  record.connected(5, proto::Buffer{'p'});
  submit(1);
  execute();
  proto::Buffer result;
  proto::append_frame(result, 7, proto::Result{.status = proto::Status::Success, .response = {}});
  record.append({.kind = InputKind::Response, .bytes = {}});
  record.queued(5, result);
  submit(2);
  SECTION("the second one was not given to the engine") {
    record.commit();
    const auto left = bench.left();
    REQUIRE(left);
    CHECK(left->settled == 0);
    CHECK(left->request_at(0) == 1);
    CHECK(left->request_at(1) == 1);
    CHECK(left->progress.clients.find(5)->requests[0].order == 2);
  }
  SECTION("the second one is under way") {
    execute();
    record.commit();
    const auto left = bench.left();
    REQUIRE(left);
    CHECK(left->request_at(1) == 1);
    CHECK(left->request_at(2) == 2);
    CHECK(left->request_at(3) == 2);
  }
  SECTION("it is under way, and everything is written anew") {
    proto::Buffer bytes = opening(5);
    const proto::Buffer request = opening(7);
    bytes.insert(bytes.end(), request.begin(), request.end());
    REQUIRE(record.compact({.state = {1}, .inputs = {{InputKind::Execute, bytes}}}));
    const auto left = bench.left();
    REQUIRE(left);
    CHECK(left->settled == 1);
    CHECK(left->request_at(1) == left->progress.clients.find(5)->requests[0].order);
  }
}

TEST_CASE("inputs of the engine are kept in their order", "[restart][record]") {
  Bench bench;
  Snapshot snapshot{.state = {1}, .inputs = {}};
  snapshot.inputs.push_back({.kind = InputKind::BringUp, .bytes = {4}});
  REQUIRE(bench.record().compact(snapshot));
  bench.record().append({.kind = InputKind::Start, .bytes = proto::Buffer{5}});
  bench.record().commit();
  bench.record().append({.kind = InputKind::PauseOver, .bytes = proto::Buffer{6}});
  const auto left = bench.left();
  REQUIRE(left);
  REQUIRE(left->inputs.size() == 2);  // the last one was not committed
  CHECK(left->inputs[0].kind == InputKind::BringUp);
  CHECK(copy(left->inputs[1].bytes) == proto::Buffer{5});
}

TEST_CASE("a record that was full is of use again after a compaction", "[restart][record]") {
  Bench bench(std::size_t{16} << 10);
  REQUIRE(bench.record().compact({.state = {1}, .inputs = {}}));
  for (unsigned i = 0; i < 200; ++i) {
    bench.record().append({.kind = InputKind::Response, .bytes = proto::Buffer(100)});
  }
  bench.record().commit();
  CHECK_FALSE(bench.record().restorable());
  CHECK(bench.record().wants_compaction());
  CHECK_FALSE(bench.left());
  CHECK_FALSE(bench.record().compact({.state = proto::Buffer(9000), .inputs = {}}));
  CHECK_FALSE(bench.record().restorable());
  REQUIRE(bench.record().compact({.state = {2}, .inputs = {}}));
  CHECK(bench.left());
}

TEST_CASE("a record is to be written anew before it is full", "[restart][record]") {
  const std::size_t state = GENERATE(1U, 3000U, 7000U);
  Bench bench;
  REQUIRE(bench.record().compact({.state = proto::Buffer(state), .inputs = {}}));
  unsigned written = 0;
  while (!bench.record().wants_compaction()) {
    bench.record().append({.kind = InputKind::Response, .bytes = proto::Buffer(100)});
    bench.record().commit();
    REQUIRE(bench.record().restorable());
    ++written;
  }
  CHECK(written > 1);
  CHECK(bench.left());
}

TEST_CASE("entries that make no sense are refused", "[restart][record]") {
  Bench bench;
  REQUIRE(bench.record().compact({.state = {1}, .inputs = {}}));
  bench.record().received(5, 1, proto::Buffer{1});  // of nobody
  bench.record().commit();
  const auto left = bench.left();
  REQUIRE_FALSE(left);
  CHECK(left.error() == "an entry of kind 6 makes no sense");
}

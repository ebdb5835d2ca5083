// Commands that wait for the TPM leave in the order of their priorities; contexts of one priority
// take turns. The TPM is stopped while they queue up, so the order is the scheduler's alone.

#include <algorithm>

#include <unistd.h>

#include "tests/integration/support/other_user.h"
#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Buffer;
using tbs::proto::Status;

namespace {

// Waiting lifts a command by 100 steps a second. Administrators may go above HIGH: theirs are so
// far apart that a machine which stands still for seconds does not change the order.
std::uint32_t apart(std::uint32_t priority) {
  return ::getuid() == 0 ? priority * 10 : priority;
}

std::vector<std::uint64_t> order_of_answers(RawClient& client, std::size_t count) {
  std::vector<std::uint64_t> ids;
  for (std::size_t i = 0; i < count; ++i) {
    const Answer answer = client.receive_result();
    CHECK(answer.status == Status::Success);
    CHECK(tpm::code(answer.response) == tpm::kSuccess);
    ids.push_back(answer.request_id);
  }
  return ids;
}

Buffer digest(char letter) {
  return Buffer(32, static_cast<std::uint8_t>(letter));
}

// What the register holds after these digests in this order, computed by the TPM itself.
Buffer extended(RawClient& client, Buffer value, const std::string& letters) {
  for (const char letter : letters) {
    const Buffer more = digest(letter);
    value.insert(value.end(), more.begin(), more.end());
    value = tpm::sized_bytes(client.response(tpm::hash(value)));
  }
  return value;
}

Buffer debug_register(RawClient& client) {
  return tpm::pcr_value(client.response(tpm::pcr_read(tpm::kDebugPcr)));
}

// One waiting PCR extension: which context, which letter, which priority.
struct Extension {
  std::size_t context;
  char letter;
  std::uint32_t priority;
};

// Queues the extensions behind a stopped TPM, lets it go on, and tells by the register's value
// whether they ran in one of these orders.
void check_order(const std::vector<Extension>& waiting, const std::vector<std::string>& expected) {
  TestBench bench;
  RawClient blocker = bench.context();
  std::vector<RawClient> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(bench.context());
  const Buffer before = debug_register(blocker);
  bench.occupy_tpm(blocker);
  std::vector<std::uint32_t> queued(clients.size());
  for (const Extension& extension : waiting) {
    RawClient& client = clients[extension.context];
    client.submit(static_cast<std::uint64_t>(extension.letter),
                  tpm::pcr_extend(tpm::kDebugPcr, digest(extension.letter)), extension.priority);
    REQUIRE(bench.wait_for_load(client, ++queued[extension.context], 0));
  }
  bench.thaw_tpm();
  for (std::size_t i = 0; i < clients.size(); ++i) order_of_answers(clients[i], queued[i]);
  order_of_answers(blocker, 1);
  const Buffer after = debug_register(blocker);
  CHECK(std::ranges::any_of(expected, [&](const std::string& order) {
    return after == extended(blocker, before, order);
  }));
}

}  // namespace

TEST_CASE("the commands of one context leave by priority") {
  TestBench bench;
  RawClient blocker = bench.context();
  RawClient client = bench.context();
  bench.occupy_tpm(blocker);
  // At once: on a machine that stands still for a second in between, the first would be older than
  // the others by a step of the priority.
  Buffer all;
  std::uint64_t id = 10;
  for (const std::uint32_t priority :
       {apart(kLow), apart(kNormal), apart(kHigh), apart(kNormal), kMax, 0U}) {
    const Buffer frame = submit_frame(id++, tpm::get_random(8), priority);
    all.insert(all.end(), frame.begin(), frame.end());
  }
  client.send_bytes(all);
  REQUIRE(bench.wait_for_load(client, 6, 0));
  bench.thaw_tpm();
  CHECK(order_of_answers(client, 6) == std::vector<std::uint64_t>{14, 12, 11, 13, 10, 15});
}

TEST_CASE("the commands of several contexts leave by priority") {
  check_order(
      {{0, 'a', apart(kLow)}, {1, 'b', apart(kHigh)}, {2, 'c', apart(kNormal)}, {0, 'd', kMax}},
      {"dbca"});
}

// Each has one command done before any has its second. From there on it is the time that the first
// ones really took that decides.
TEST_CASE("contexts of one priority take turns") {
  check_order({{0, 'a', kNormal},
               {0, 'b', kNormal},
               {0, 'c', kNormal},
               {1, 'd', kNormal},
               {1, 'e', kNormal},
               {2, 'f', kNormal}},
              {"adfbec", "adfebc", "adfbce"});
}

TEST_CASE("a HIGH command waits for the one on the TPM only, however many NORMAL ones there are") {
  TestBench bench;
  RawClient client = bench.context();
  std::vector<RawClient> crowd;
  for (int i = 0; i < 8; ++i) crowd.push_back(bench.context());
  bench.freeze_tpm();
  constexpr std::uint64_t kEach = 8;
  for (RawClient& each : crowd) {
    for (std::uint64_t id = 1; id <= kEach; ++id) each.submit(id, tpm::self_test(), kNormal);
  }
  REQUIRE(eventually([&] { return bench.status().queued == 8 * kEach - 1; }));
  client.submit(1, tpm::get_random(8), kHigh);
  REQUIRE(bench.wait_for_load(client, 1, 0));
  const std::uint64_t before = bench.status().commands;
  bench.thaw_tpm();
  CHECK(client.receive_result().status == Status::Success);
  // Two commands it must be; more run until the status is read.
  CHECK(bench.status().commands - before < 8 * kEach / 4);
  for (RawClient& each : crowd) order_of_answers(each, kEach);
}

TEST_CASE("a user without rights is capped at HIGH, silently") {
  if (!can_become_nobody()) return;
  TestBench bench;
  RawClient root = bench.context();
  REQUIRE(root.call(tpm::get_random(8), kMax).status == Status::Success);
  CHECK(bench.entry_of(root.context_id())->priority == kMax);
  const std::string socket = bench.everybodys_socket();
  const int outcome = as_nobody([&socket] {
    RawClient nobody = RawClient::context(socket);
    const Answer answer = nobody.call(tpm::get_random(8), kMax);
    if (answer.status != Status::Success) return 1;
    const auto list = nobody.ask(tbs::proto::ListContexts{.after = nobody.context_id() - 1});
    if (list.entries.empty() || list.entries.front().uid != kNobody) return 2;
    return list.entries.front().priority == kHigh ? 0 : 3;
  });
  CHECK(outcome == 0);
}

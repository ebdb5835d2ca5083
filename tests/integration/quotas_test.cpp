// Quotas by user, what happens at each of them, and that what they charge for is given back.

#include <algorithm>
#include <fstream>

#include <sys/resource.h>
#include <unistd.h>

#include "proto/tpm/response_code.h"
#include "tests/integration/support/user_clients.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Buffer;
using tbs::proto::Role;
using tbs::proto::Status;

namespace {

constexpr std::uint32_t kRcObjectMemory = tbs::tpm::by_resource_manager(TPM2_RC_OBJECT_MEMORY);

void allow_descriptors(rlim_t wanted) {
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(wanted, limit.rlim_max));
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

Status try_context(TestBench& bench, uid_t user) {
  const ConnectingAs other(user);
  return bench.connect().hello(Role::Context).status;
}

tbs::proto::LimitEntry limit(TestBench& bench, const std::string& name) {
  const auto list = RawClient::observer(bench.socket()).ask(tbs::proto::ListLimits{});
  const auto entry = std::ranges::find(list.entries, name, &tbs::proto::LimitEntry::name);
  REQUIRE(entry != list.entries.end());
  return *entry;
}

}  // namespace

TEST_CASE("a user cannot take the contexts of others") {
  if (!can_become_nobody()) return;
  TestBench bench({.arguments = {"--max-contexts=20", "--max-contexts-per-user=4"}});
  std::vector<RawClient> greedy;
  for (int i = 0; i < 4; ++i) greedy.push_back(context_of(bench, kNobody));
  CHECK(try_context(bench, kNobody) == Status::TooManyContexts);
  CHECK(try_context(bench, 20001) == Status::Success);
  // Administrators are not bounded by it.
  std::vector<RawClient> root;
  for (int i = 0; i < 6; ++i) root.push_back(bench.context());
  CHECK(limit(bench, "max-contexts").used == 10);
  CHECK(limit(bench, "max-contexts-per-user").limit == 4);
  const std::uint64_t leaving = greedy.back().context_id();
  greedy.pop_back();
  REQUIRE(bench.wait_until_gone(leaving));
  CHECK(try_context(bench, kNobody) == Status::Success);
}

TEST_CASE("every way to make an object counts, and every way to lose one gives it back") {
  if (!can_become_nobody()) return;
  TestBench bench({.arguments = {"--objects-per-context=4", "--objects-per-user=6"}});
  RawClient client = context_of(bench, kNobody);
  RawClient second = context_of(bench, kNobody);
  CHECK(code(client, tpm::create_primary_ecc()) == tpm::kSuccess);
  for (int i = 0; i < 3; ++i) CHECK(code(client, tpm::hash_sequence_start()) == tpm::kSuccess);
  CHECK(code(client, tpm::hash_sequence_start()) == kRcObjectMemory);
  CHECK(code(client, tpm::create_primary_ecc()) == kRcObjectMemory);
  CHECK(code(second, tpm::create_primary_ecc()) == tpm::kSuccess);
  CHECK(code(second, tpm::hash_sequence_start()) == tpm::kSuccess);
  CHECK(code(second, tpm::hash_sequence_start()) == kRcObjectMemory);
  CHECK(limit(bench, "objects-per-user").used == 6);
  CHECK(limit(bench, "objects-per-user").uid == kNobody);
  CHECK(limit(bench, "objects-per-context").used == 4);
  // Nobody else notices.
  RawClient other = context_of(bench, 20001);
  CHECK(code(other, tpm::create_primary_ecc()) == tpm::kSuccess);
  CHECK(code(client, tpm::flush_context(tpm::kTransientFirst)) == tpm::kSuccess);
  CHECK(code(second, tpm::hash_sequence_start()) == tpm::kSuccess);
  const std::uint64_t leaving = client.context_id();
  client.close();
  REQUIRE(bench.wait_until_gone(leaving));
  CHECK(code(second, tpm::create_primary_ecc()) == tpm::kSuccess);
}

TEST_CASE("1000 contexts of ten users with three keys each") {
  if (!can_become_nobody()) return;
  allow_descriptors(1200);
  TestBench bench({.arguments = {"--max-contexts=1024"}});
  const pid_t daemon = bench.daemon().program().pid();
  std::vector<RawClient> clients;
  for (int i = 0; i < 1000; ++i) {
    clients.push_back(context_of(bench, 20001 + static_cast<uid_t>(i) % 10));
  }
  for (RawClient& client : clients) {
    for (std::uint64_t id = 1; id <= 3; ++id) client.submit(id, tpm::create_primary_ecc());
  }
  for (RawClient& client : clients) {
    for (int i = 0; i < 3; ++i) {
      const Answer answer = client.receive_result();
      REQUIRE(answer.status == Status::Success);
      REQUIRE(tpm::code(answer.response) == tpm::kSuccess);
    }
  }
  CHECK(limit(bench, "objects-per-user").used == 300);
  const std::size_t resident = resident_bytes(daemon);
  WARN("1000 contexts of ten users with three keys each: " << resident / 1024 << " KiB");
  if (!sanitized()) CHECK(resident < std::size_t{64} << 20);
}

TEST_CASE("what a user has waiting is bounded over all connections") {
  if (!can_become_nobody()) return;
  TestBench bench({.arguments = {"--max-backlog-per-user=64"}});
  RawClient occupant = bench.context();
  RawClient victim = bench.context();
  std::vector<RawClient> greedy;
  for (int i = 0; i < 16; ++i) greedy.push_back(context_of(bench, kNobody));
  bench.occupy_tpm(occupant);
  const Buffer command = tpm::hash(Buffer(1000, 7));
  for (RawClient& client : greedy) {
    for (std::uint64_t id = 1; id <= 32; ++id) client.submit(id, command);
  }
  REQUIRE(eventually([&] { return limit(bench, "max-backlog-per-user").used >= 64; }));
  // 512 commands of a KiB each were sent; 64 KiB are taken, one command for each connection, and
  // what had been read of each.
  CHECK(limit(bench, "max-backlog-per-user").used <= 64 + 16 * (1 + 4) + 1);
  victim.submit(1, tpm::get_random(8));
  REQUIRE(bench.wait_for_load(victim, 1, 0));
  bench.thaw_tpm();
  CHECK(victim.receive_result().status == Status::Success);
  // All are answered in the end.
  for (RawClient& client : greedy) {
    for (int i = 0; i < 32; ++i) REQUIRE(client.receive_result().status == Status::Success);
  }
  CHECK(limit(bench, "max-backlog-per-user").used == 0);
}

TEST_CASE("without descriptors the clients that are there go on") {
  if (sanitized()) return;  // its check of objects' types takes a pipe, and without one finds fault
  TestBench bench;
  RawClient client = bench.context();
  const pid_t daemon = bench.daemon().program().pid();
  rlimit before{};
  const rlimit few{.rlim_cur = 24, .rlim_max = 65536};
  REQUIRE(::prlimit(daemon, RLIMIT_NOFILE, nullptr, &before) == 0);
  const rlimit bounded{.rlim_cur = few.rlim_cur, .rlim_max = before.rlim_max};
  REQUIRE(::prlimit(daemon, RLIMIT_NOFILE, &bounded, nullptr) == 0);
  std::vector<RawClient> crowd;
  for (int i = 0; i < 40; ++i) crowd.push_back(bench.connect());
  REQUIRE(eventually([&] {
    return bench.daemon().log().find("cannot take another connection") != std::string::npos;
  }));
  for (int i = 0; i < 20; ++i) CHECK(code(client, tpm::get_random(8)) == tpm::kSuccess);
  crowd.clear();
  CHECK(eventually([&] { return bench.connect().hello(Role::Context).status == Status::Success; }));
}

TEST_CASE("without memory commands fail one by one, and the daemon goes on") {
  if (sanitized()) return;
  TestBench bench;
  RawClient occupant = bench.context();
  std::vector<RawClient> clients;
  for (int i = 0; i < 64; ++i) clients.push_back(bench.context());
  const pid_t daemon = bench.daemon().program().pid();
  bench.occupy_tpm(occupant);
  // What the process has, and nothing more.
  std::size_t pages = 0;
  std::ifstream("/proc/" + std::to_string(daemon) + "/statm") >> pages;
  const rlim_t size = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
  const rlimit bounded{.rlim_cur = size, .rlim_max = RLIM_INFINITY};
  rlimit before{};
  REQUIRE(::prlimit(daemon, RLIMIT_AS, &bounded, &before) == 0);
  // 64 times 32 commands of nearly 4 KiB.
  Buffer command = tpm::get_random(8);
  command.resize(4000);
  command[4] = 4000 >> 8;
  command[5] = 4000 & 0xFF;
  for (RawClient& client : clients) {
    for (std::uint64_t id = 1; id <= 32; ++id) client.submit(id, command);
  }
  REQUIRE(
      eventually([&] { return bench.daemon().log().find("out of memory") != std::string::npos; }));
  REQUIRE(::prlimit(daemon, RLIMIT_AS, &before, nullptr) == 0);
  bench.thaw_tpm();
  std::size_t failed = 0;
  for (RawClient& client : clients) {
    for (int i = 0; i < 32; ++i) {
      const Answer answer = client.receive_result();
      if (answer.status == Status::TooManyResources) ++failed;
    }
  }
  WARN(failed << " of 2048 commands failed for want of memory");
  CHECK(failed > 0);
  for (RawClient& client : clients) CHECK(code(client, tpm::get_random(8)) == tpm::kSuccess);
}

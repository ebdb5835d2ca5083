// Hundreds of clients at once, each with its own answers; a thousand contexts side by side.

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Status;

namespace {

void allow_descriptors(rlim_t wanted) {
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  if (limit.rlim_cur >= wanted) return;
  REQUIRE(limit.rlim_max >= wanted);
  limit.rlim_cur = wanted;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

std::vector<RawClient> connect_many(TestBench& bench, std::size_t count) {
  std::vector<RawClient> clients;
  clients.reserve(count);
  for (std::size_t i = 0; i < count; ++i) clients.push_back(bench.context());
  return clients;
}

}  // namespace

TEST_CASE("200 clients at once get their own answers") {
  allow_descriptors(512);
  TestBench bench;
  constexpr std::uint64_t kEach = 5;
  std::vector<RawClient> clients = connect_many(bench, 200);
  for (std::uint64_t id = 1; id <= kEach; ++id) {
    for (std::size_t i = 0; i < clients.size(); ++i) {
      // The length of the answer says whose it is.
      clients[i].submit(id, tpm::get_random(static_cast<std::uint16_t>(1 + i % 32)));
    }
  }
  for (std::size_t i = 0; i < clients.size(); ++i) {
    for (std::uint64_t id = 1; id <= kEach; ++id) {
      const Answer answer = clients[i].receive_result();
      REQUIRE(answer.status == Status::Success);
      REQUIRE(answer.request_id == id);
      REQUIRE(tpm::sized_bytes(answer.response).size() == 1 + i % 32);
    }
  }
  CHECK(bench.contexts().size() == 200);
  CHECK(bench.status().contexts == 200);
}

TEST_CASE("200 processes connect, work and leave at the same time") {
  TestBench bench;
  const std::string socket = bench.socket();
  std::vector<pid_t> processes;
  for (int i = 0; i < 200; ++i) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child != 0) {
      processes.push_back(child);
      continue;
    }
    int outcome = 1;
    try {
      RawClient client = RawClient::context(socket);
      outcome = 0;
      for (int round = 0; round < 5; ++round) {
        if (tpm::sized_bytes(client.response(tpm::get_random(16))).size() != 16) outcome = 2;
      }
    } catch (const std::exception&) {
    }
    ::_exit(outcome);
  }
  int failed = 0;
  for (const pid_t process : processes) {
    int status = 0;
    ::waitpid(process, &status, 0);
    if (status != 0) ++failed;
  }
  CHECK(failed == 0);
  CHECK(eventually([&] { return bench.contexts().empty(); }));
}

TEST_CASE("1000 contexts are open at once, and each of them works") {
  allow_descriptors(1100);
  TestBench bench;
  const pid_t daemon = bench.daemon().program().pid();
  const std::size_t before = resident_bytes(daemon);
  std::vector<RawClient> clients = connect_many(bench, 1000);
  for (RawClient& client : clients) client.submit(1, tpm::get_random(8));
  for (RawClient& client : clients) REQUIRE(client.receive_result().status == Status::Success);
  WARN("1000 contexts: " << (resident_bytes(daemon) - before) / 1024 << " KiB more, "
                         << resident_bytes(daemon) / 1024 << " KiB in all");
  if (!sanitized()) CHECK(resident_bytes(daemon) < std::size_t{64} << 20);
  CHECK(bench.contexts().size() == 1000);
  clients.clear();
  CHECK(eventually([&] { return bench.contexts().empty(); }));
}

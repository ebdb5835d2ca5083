// A client that dies while its command runs leaves nothing behind: its context goes at once, what
// its command created is flushed, and the clients after it find a working TPM.

#include <csignal>
#include <functional>
#include <memory>

#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Status;

namespace {

// A process that connects, submits, and waits to be killed.
class Victim {
 public:
  Victim(const std::string& socket, const std::function<void(RawClient&)>& part) : pid_(::fork()) {
    if (pid_ != 0) return;
    try {
      RawClient client = RawClient::context(socket);
      part(client);
      while (true) ::pause();
    } catch (const std::exception&) {
      ::_exit(1);
    }
  }
  ~Victim() { kill(); }
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_;
};

// The context of that process once its command is on the TPM and so many others wait.
std::uint64_t context_with_load(TestBench& bench, pid_t pid, std::uint32_t queued) {
  std::uint64_t context = 0;
  const bool found = eventually([&] {
    for (const auto& entry : bench.contexts()) {
      if (static_cast<pid_t>(entry.pid) != pid) continue;
      if (entry.running != 1 || entry.queued != queued) continue;
      context = entry.context;
      return true;
    }
    return false;
  });
  REQUIRE(found);
  return context;
}

void check_tpm_is_clean(TestBench& bench) {
  RawClient client = bench.context();
  CHECK(tpm::handles(client.response(tpm::get_handles(tpm::kTransientFirst))).empty());
  std::vector<std::uint32_t> keys;
  for (int i = 0; i < 3; ++i) {
    const auto response = client.response(tpm::create_primary_ecc());
    REQUIRE(tpm::code(response) == tpm::kSuccess);
    keys.push_back(tpm::handle(response));
  }
  for (const std::uint32_t key : keys) client.response(tpm::flush_context(key));
}

}  // namespace

TEST_CASE("what a killed client was creating is gone") {
  TestBench bench;
  bench.freeze_tpm();
  Victim victim(bench.socket(),
                [](RawClient& client) { client.submit(1, tpm::create_primary_ecc()); });
  const std::uint64_t context = context_with_load(bench, victim.pid(), 0);
  victim.kill();
  CHECK(bench.wait_until_gone(context));
  bench.thaw_tpm();
  check_tpm_is_clean(bench);
}

TEST_CASE("a client is killed in the middle of a key generation") {
  TestBench bench;
  Victim victim(bench.socket(), [](RawClient& client) {
    for (std::uint64_t id = 1; id <= 8; ++id) client.submit(id, tpm::create_primary_rsa(2048));
  });
  REQUIRE(eventually([&] {
    const auto all = bench.contexts();
    return !all.empty() && all.front().running == 1;
  }));
  victim.kill();
  CHECK(eventually([&] { return bench.contexts().empty(); }));
  RawClient client = bench.context();
  CHECK(client.call(tpm::get_random(8)).status == Status::Success);
}

TEST_CASE("a killed client with a full window is noticed while its first command still runs") {
  TestBench bench;
  bench.freeze_tpm();
  Victim victim(bench.socket(), [](RawClient& client) {
    for (std::uint64_t id = 1; id <= tbs::proto::kMaxOutstanding; ++id) {
      client.submit(id, tpm::create_primary_ecc());
    }
  });
  const std::uint64_t context =
      context_with_load(bench, victim.pid(), tbs::proto::kMaxOutstanding - 1U);
  victim.kill();
  CHECK(bench.wait_until_gone(context));
  CHECK(bench.status().queued == 0);
  bench.thaw_tpm();
  check_tpm_is_clean(bench);
}

TEST_CASE("clients come and are killed again and again") {
  TestBench bench;
  for (int round = 0; round < 10; ++round) {
    Victim first(bench.socket(), [](RawClient& client) {
      for (std::uint64_t id = 1;; ++id) client.submit(id, tpm::get_random(8));
    });
    Victim second(bench.socket(),
                  [](RawClient& client) { client.submit(1, tpm::create_primary_rsa(2048)); });
    RawClient client = bench.context();
    CHECK(client.call(tpm::get_random(8)).status == Status::Success);
  }
  CHECK(eventually([&] { return bench.contexts().empty(); }));
}

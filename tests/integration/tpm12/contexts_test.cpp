// Programs that share a TPM 1.2: ownership, keys, signatures and sealed data from twenty contexts
// at once, with more keys than the TPM has room for.

#include <csignal>
#include <functional>

#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/tpm12/tpm12_bench.h"
#include "tests/support/catch2.h"
#include "tests/support/client12/structures.h"

using namespace tbs::test;
using client12::secret_of;
using client12::sha1;

namespace {

constexpr int kPrograms = 20;
constexpr std::uint32_t kKey = 1;
constexpr std::uint32_t kAuth = 2;

// Runs `work` in a process of its own; exit code 0 when it returns true.
pid_t spawn(const std::function<bool()>& work) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child != 0) return child;
  int outcome = 2;
  try {
    outcome = work() ? 0 : 1;
  } catch (const std::exception& error) {
    static_cast<void>(::write(2, error.what(), std::string(error.what()).size()));
    static_cast<void>(::write(2, "\n", 1));
  }
  ::_exit(outcome);
}

int exit_code(pid_t process) {
  int status = 0;
  ::waitpid(process, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool signs(client12::Client& client, std::uint32_t handle, const client12::Bytes& key,
           const client12::Digest& secret, int what) {
  const auto digest = sha1({key, client12::words({static_cast<std::uint32_t>(what)})});
  return client12::signature_is_good(client12::modulus_of(key), digest,
                                     client.sign(handle, secret, digest));
}

// What one of the programs does.
bool work(std::uint8_t number) {
  LibraryClient client;
  const auto secret = secret_of(static_cast<std::uint8_t>(100 + number));
  const auto key = client->create_key(secret);
  const auto sealed = client->seal(secret, sha1({key}));
  std::vector<std::uint32_t> handles;
  for (int i = 0; i < 3; ++i) handles.push_back(client->load_key(key));
  for (int round = 0; round < 3; ++round) {
    for (const std::uint32_t handle : handles) {
      if (!signs(*client, handle, key, secret, round)) return false;
    }
    const auto opened = client->unseal(secret, sealed);
    if (!std::ranges::equal(opened, sha1({key}))) return false;
  }
  return client->handles(kKey) == handles && client->handles(kAuth).empty();
}

}  // namespace

TEST_CASE("twenty programs create, load, sign, seal and unseal at once") {
  Tpm12Bench bench;
  LibraryClient owner;
  bench.take_ownership(owner);
  REQUIRE(owner->owned());
  std::vector<pid_t> programs;
  for (std::uint8_t i = 0; i < kPrograms; ++i) programs.push_back(spawn([i] { return work(i); }));
  for (const pid_t program : programs) CHECK(exit_code(program) == 0);
  CHECK(owner->handles(kKey).empty());
}

TEST_CASE("a program that is killed leaves nothing behind") {
  Tpm12Bench bench({"--share", "exclusive"});
  LibraryClient client;
  bench.take_ownership(client);
  const auto secret = secret_of(3);
  const auto key = client->create_key(secret);
  const std::uint32_t handle = client->load_key(key);
  for (int round = 0; round < 3; ++round) {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t victim = spawn([&] {
      LibraryClient other;
      for (int i = 0; i < 10; ++i) {
        other->load_key(key);
        other->oiap(secret);
      }
      static_cast<void>(::write(ready[1], "x", 1));
      ::pause();
      return true;
    });
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    ::kill(victim, SIGKILL);
    ::waitpid(victim, nullptr, 0);
    ::close(ready[0]);
    ::close(ready[1]);
    CHECK(signs(*client, handle, key, secret, round));
  }
  CHECK(client->handles(kKey) == std::vector<std::uint32_t>{handle});
}

TEST_CASE("a restarted daemon finds a TPM without leftovers and with its owner") {
  Tpm12Bench bench;
  client12::Bytes key;
  const auto secret = secret_of(5);
  {
    LibraryClient client;
    bench.take_ownership(client);
    key = client->create_key(secret);
    client->load_key(key);
    client->oiap(secret);
    bench.restart_daemon(GENERATE(false, true));
  }
  LibraryClient client;
  REQUIRE(client->owned());
  CHECK(client->handles(kKey).empty());
  const std::uint32_t handle = client->load_key(key);
  CHECK(signs(*client, handle, key, secret, 1));
}

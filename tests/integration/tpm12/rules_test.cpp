// A command inside TPM_ExecuteTransport is judged as if it had come alone.

#include <catch2/catch.hpp>

#include "proto/service_codes.h"
#include "proto/tpm12/constants.h"
#include "tests/integration/support/other_user.h"
#include "tests/integration/tpm12/tpm12_bench.h"
#include "tests/support/client12/structures.h"
#include "tests/support/client12/transport.h"

using namespace tbs::test;
using client12::Client;

namespace {

// TPM Main Part 2, "Ordinals".
constexpr std::uint32_t kForceClear = tbs::tpm12::ord::kForceClear;
constexpr std::uint32_t kGetRandom = tbs::tpm12::ord::kGetRandom;
constexpr std::uint32_t kBlocked = tbs::proto::service::kCommandBlocked;
constexpr std::uint32_t kEmbeddedBlocked = tbs::proto::service::kEmbeddedCommandBlocked;
constexpr std::uint32_t kBadOrdinal = tbs::tpm12::rc::kBadOrdinal;

Client::Command get_random() {
  return {.ordinal = kGetRandom, .handles = {}, .parameters = client12::words({8}), .sessions = {}};
}

Client::Command force_clear() {
  return {.ordinal = kForceClear, .handles = {}, .parameters = {}, .sessions = {}};
}

// What a user gets; each outcome that differs has an exit code of its own.
int as_user(Tpm12Bench& bench, std::uint32_t blocked, std::uint32_t embedded_blocked) {
  ::setenv("TBS_SOCKET", bench.daemon().socket().c_str(), 1);
  LibraryClient user;
  if (user->run(get_random()).code != 0) return 1;
  if (user->run(force_clear()).code != blocked) return 2;
  client12::Transport transport(*user);
  if (transport.run(get_random()).code != 0 || transport.outer_code() != 0) return 3;
  transport.run(force_clear());
  if (transport.outer_code() != embedded_blocked) return 4;
  // The session has not been touched.
  if (transport.run(get_random()).code != 0 || transport.outer_code() != 0) return 5;
  return 0;
}

}  // namespace

TEST_CASE("a blocked command is blocked inside a transport session") {
  if (!can_become_nobody()) return;
  Tpm12Bench bench;
  {
    LibraryClient root;
    bench.take_ownership(root);
    CHECK(as_nobody([&] { return as_user(bench, kBlocked, kEmbeddedBlocked); }) == 0);
    CHECK(root->owned());
    // An administrator reaches the TPM, which wants physical presence.
    client12::Transport transport(*root);
    const auto reply = transport.run(force_clear());
    CHECK(transport.outer_code() == 0);
    CHECK(reply.code != kEmbeddedBlocked);
    CHECK(reply.code != 0);
  }
  const std::string log = bench.daemon().log();
  CHECK(log.find("command 0x5d of") != std::string::npos);
}

TEST_CASE("a rule blocks inside a transport session with the answer that it names") {
  if (!can_become_nobody()) return;
  TempFolder folder;
  write_file(folder / "10-test.conf", "answer tpm\nblock user command 0x5d\n");
  Tpm12Bench bench({"--policy-dir", folder.path()});
  LibraryClient root;
  bench.take_ownership(root);
  CHECK(as_nobody([&] { return as_user(bench, kBadOrdinal, kBadOrdinal); }) == 0);
  CHECK(root->owned());
}

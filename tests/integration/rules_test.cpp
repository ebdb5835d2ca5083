// The rules of /etc/tbs/policy.d on the real daemon: who may send what, how a blocked command is
// answered, and that new rules come into force without dropping anybody.

#include <csignal>
#include <filesystem>

#include <sys/stat.h>

#include "proto/service_codes.h"
#include "proto/tpm/response_code.h"
#include "tests/integration/support/user_clients.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Buffer;
using tbs::proto::Status;

namespace {

constexpr std::uint32_t kBlocked = tbs::proto::service::kCommandBlocked;
constexpr std::uint32_t kRcCommandCode = TPM2_RC_COMMAND_CODE;
constexpr std::uint32_t kIndex = 0x01500010;

struct RuleFolder {
  TempFolder folder;
  std::string rules = folder / "policy.d";

  explicit RuleFolder(const std::string& text) {
    std::filesystem::create_directory(rules);
    write(text);
  }
  void write(const std::string& text) const { write_file(rules + "/10-test.conf", text); }
  [[nodiscard]] DaemonOptions options() const { return {.arguments = {"--policy-dir=" + rules}}; }
};

}  // namespace

TEST_CASE("users cannot clear the TPM, administrators can") {
  if (!can_become_nobody()) return;
  TestBench bench;
  RawClient user = context_of(bench, kNobody);
  RawClient root = bench.context();
  CHECK(code(user, tpm::clear()) == kBlocked);
  CHECK(code(user, tpm::get_random(8)) == tpm::kSuccess);
  CHECK(code(root, tpm::clear()) == tpm::kSuccess);
  CHECK(bench.daemon().log().find("was blocked by a rule (profile linux)") != std::string::npos);
}

TEST_CASE("rules by NV index, and the TPM's own way to refuse") {
  if (!can_become_nobody()) return;
  RuleFolder folder("answer tpm\nblock user nv 0x01500000-0x015000ff\n");
  TestBench bench(folder.options());
  RawClient user = context_of(bench, kNobody);
  RawClient root = bench.context();
  CHECK(code(user, tpm::nv_define(kIndex, 8)) == kRcCommandCode);
  CHECK(code(root, tpm::nv_define(kIndex, 8)) == tpm::kSuccess);
  CHECK(code(root, tpm::nv_write(kIndex, Buffer(8, 1))) == tpm::kSuccess);
  CHECK(code(user, tpm::nv_read(kIndex, 8)) == kRcCommandCode);
  CHECK(code(user, tpm::nv_define(0x01600000, 8)) == tpm::kSuccess);
}

TEST_CASE("new rules come with SIGHUP, and a broken file changes nothing") {
  if (!can_become_nobody()) return;
  RuleFolder folder("block user command GetRandom\n");
  TestBench bench(folder.options());
  // On the socket where there can be administrators, opened to a user.
  REQUIRE(::chmod(bench.daemon().admin_socket().c_str(), 0666) == 0);
  RawClient user = [&] {
    const ConnectingAs other(kNobody);
    return RawClient::context(bench.daemon().admin_socket());
  }();
  CHECK(code(user, tpm::get_random(8)) == kBlocked);
  folder.write(
      "role friends = uid 65534\nallow friends command GetRandom\n"
      "block user command GetRandom\n");
  bench.daemon().program().signal(SIGHUP);
  CHECK(eventually([&] { return code(user, tpm::get_random(8)) == tpm::kSuccess; }));
  folder.write("dry-run yes\n\nblock user comand GetRandom\n");
  bench.daemon().program().signal(SIGHUP);
  CHECK(eventually([&] {
    return bench.daemon().log().find("10-test.conf:3: 'comand' is no condition") !=
           std::string::npos;
  }));
  CHECK(code(user, tpm::get_random(8)) == tpm::kSuccess);
  folder.write("role administrator = uid 65534\n");
  bench.daemon().program().signal(SIGHUP);
  // A user who has become administrator while connected.
  CHECK(eventually([&] { return code(user, tpm::clear()) == tpm::kSuccess; }));
}

TEST_CASE("a daemon does not start with rules it cannot read") {
  RuleFolder folder("block user command NoSuchCommand\n");
  const Outcome outcome = run_tbsd(
      folder.folder,
      {"--device=embedded", "--socket=" + (folder.folder / "s"), "--policy-dir=" + folder.rules});
  CHECK(outcome.exit_code == 2);
  CHECK(outcome.output.find("10-test.conf:1: 'NoSuchCommand' is no command") != std::string::npos);
}

TEST_CASE("dry-run only logs") {
  if (!can_become_nobody()) return;
  RuleFolder folder("dry-run yes\nblock user command GetRandom\n");
  TestBench bench(folder.options());
  RawClient user = context_of(bench, kNobody);
  for (int i = 0; i < 100; ++i) REQUIRE(code(user, tpm::get_random(8)) == tpm::kSuccess);
  const std::string log = bench.daemon().log();
  std::size_t lines = 0;
  for (std::size_t at = log.find("would be blocked"); at != log.npos;
       at = log.find("would be blocked", at + 1)) {
    ++lines;
  }
  // Some, and not a hundred: nobody can fill the log.
  CHECK(lines >= 1);
  CHECK(lines <= 20);
}

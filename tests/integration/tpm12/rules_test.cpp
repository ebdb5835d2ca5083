// A command inside TPM_ExecuteTransport is judged as if it had come alone; PCRs that measure the
// machine are the administrators', and an NV index its maker's.

#include "proto/service_codes.h"
#include "proto/tpm12/constants.h"
#include "tests/integration/support/other_user.h"
#include "tests/integration/support/test_bench.h"
#include "tests/integration/tpm12/tpm12_bench.h"
#include "tests/support/catch2.h"
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

namespace {

namespace ord = tbs::tpm12::ord;

Client::Command extend(std::uint32_t pcr) {
  client12::Bytes parameters = client12::words({pcr});
  parameters.resize(parameters.size() + tbs::tpm12::kDigestSize);
  return {.ordinal = ord::kExtend, .handles = {}, .parameters = parameters, .sessions = {}};
}

Client::Command reset_pcr(std::uint32_t pcr) {
  client12::Bytes parameters = {0, 3, 0, 0, 0};
  parameters[2 + pcr / 8] = static_cast<std::uint8_t>(1U << (pcr % 8));
  return {.ordinal = ord::kPcrReset, .handles = {}, .parameters = parameters, .sessions = {}};
}

// TPM_NV_DATA_PUBLIC and an authorization value. A TPM whose NV is not locked wants no owner's.
Client::Command define(std::uint32_t index, std::uint32_t size) {
  client12::Bytes parameters = {0x00, 0x18};
  const auto add = [&](const client12::Bytes& bytes) {
    parameters.insert(parameters.end(), bytes.begin(), bytes.end());
  };
  add(client12::words({index}));
  for (int info = 0; info < 2; ++info) {
    add({0, 3, 0, 0, 0, 0x1F});
    add(client12::Bytes(tbs::tpm12::kDigestSize));
  }
  add({0x00, 0x17});
  add(client12::words({0x00040004}));  // read and written with the index's own authorization
  add({0, 0, 0});
  add(client12::words({size}));
  add(client12::Bytes(tbs::tpm12::kDigestSize));
  return {.ordinal = ord::kNvDefineSpace, .handles = {}, .parameters = parameters, .sessions = {}};
}

constexpr std::uint32_t kRootsIndex = 0x1100;
constexpr std::uint32_t kUsersIndex = 0x1200;

int as_user_of_nv_and_pcrs() {
  LibraryClient user;
  if (user->run(extend(7)).code != kBlocked) return 1;
  if (user->run(reset_pcr(17)).code != kBlocked) return 2;
  if (user->run(extend(16)).code != 0 || user->run(reset_pcr(16)).code != 0) return 3;
  if (user->run(define(kRootsIndex, 0)).code != kBlocked) return 4;
  if (user->run(define(kRootsIndex, 16)).code != kBlocked) return 5;
  if (user->run(define(0xFFFFFFFF, 0)).code != kBlocked) return 6;
  if (user->run(define(kUsersIndex, 16)).code != 0) return 7;
  if (user->run(define(kUsersIndex, 0)).code != 0) return 8;
  if (user->run(define(kUsersIndex, 0x1000)).code != tbs::tpm12::rc::kNoSpace) return 9;
  client12::Transport transport(*user);
  // Which one it is may be encrypted there.
  for (const auto& command : {extend(7), extend(16), define(kRootsIndex, 0), define(0x1300, 8)}) {
    transport.run(command);
    if (transport.outer_code() != kEmbeddedBlocked) return 10;
  }
  return 0;
}

}  // namespace

TEST_CASE("users extend no PCR that measures the machine, and undefine nothing of others") {
  if (!can_become_nobody()) return;
  Tpm12Bench bench;
  LibraryClient root;
  bench.take_ownership(root);
  REQUIRE(root->run(define(kRootsIndex, 16)).code == 0);
  CHECK(as_nobody([&bench] {
          ::setenv("TBS_SOCKET", bench.daemon().everybodys_socket().c_str(), 1);
          return as_user_of_nv_and_pcrs();
        }) == 0);
  CHECK(root->run(extend(7)).code == 0);
  CHECK(root->run(define(kRootsIndex, 0)).code == 0);
}

namespace {

client12::Bytes message(std::uint16_t tag, std::uint32_t ordinal, const client12::Bytes& body) {
  client12::Bytes bytes;
  tbs::proto::ByteWriter writer(bytes);
  writer.be16(tag);
  writer.be32(static_cast<std::uint32_t>(tbs::tpm12::kHeaderSize + body.size()));
  writer.be32(ordinal);
  writer.bytes(body);
  return bytes;
}

// Right ones and wrong ones.
std::vector<client12::Bytes> starts_and_saves(std::uint16_t tag) {
  const std::vector<client12::Bytes> bodies = {{}, {0}, {0, 1}, {0, 2}, {0, 9}, {0, 1, 0}};
  std::vector<client12::Bytes> commands;
  for (const std::uint32_t ordinal : {ord::kStartup, ord::kSaveState}) {
    for (const auto& body : bodies) commands.push_back(message(tag, ordinal, body));
  }
  return commands;
}

// 0 when the TPM behind tbsd says to a user what is wanted, else which answer differs.
int answers_user(Tpm12Bench& bench, const std::vector<client12::Bytes>& commands,
                 const std::vector<client12::Bytes>& wanted) {
  RawClient observer = RawClient::observer(bench.daemon().socket());
  const bool ready = eventually(
      [&] {
        const auto status = observer.ask(tbs::proto::DaemonStatus{});
        return status.device_state == tbs::proto::DeviceState::Ready;
      },
      std::chrono::minutes(4));
  REQUIRE(ready);
  return as_nobody([&] {
    ::setenv("TBS_SOCKET", bench.daemon().everybodys_socket().c_str(), 1);
    LibraryClient user;
    for (std::size_t i = 0; i < commands.size(); ++i) {
      if (user->exchange(commands[i]) != wanted[i]) return static_cast<int>(i) + 1;
    }
    return 0;
  });
}

}  // namespace

TEST_CASE("a user who starts a TPM 1.2, or saves its state, is told what it tells administrators") {
  if (!can_become_nobody()) return;
  Tpm12Bench bench;
  const auto commands = starts_and_saves(tbs::tpm12::kTagCommand);
  std::vector<client12::Bytes> wanted;
  LibraryClient root;
  for (const auto& command : commands) wanted.push_back(root->exchange(command));
  CHECK(answers_user(bench, commands, wanted) == 0);
}

TEST_CASE("a start of a TPM 1.2 with an authorization is answered as by the TPM alone") {
  if (!can_become_nobody()) return;
  if (device_under_test() != DeviceKind::Swtpm) {
    WARN("skipped: it asks a swtpm past tbsd");
    return;
  }
  const auto commands = starts_and_saves(tbs::tpm12::kTagAuth1Command);
  std::vector<client12::Bytes> wanted;
  {
    const TempFolder folder;
    SwtpmProcess swtpm(folder, SwtpmProcess::Family::Tpm12);
    swtpm.start();
    // TPM_ST_CLEAR.
    static_cast<void>(swtpm.ask(message(tbs::tpm12::kTagCommand, ord::kStartup, {0, 1})));
    for (const auto& command : commands) wanted.push_back(swtpm.ask(command));
  }
  Tpm12Bench bench;
  CHECK(answers_user(bench, commands, wanted) == 0);
}

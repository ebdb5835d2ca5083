// An attacker against a victim of another user, with what the protocol and the TPM allow. What
// happens to the victim: nothing. Attacks that have a scenario of their own (floods, forged frames,
// quotas, lockout, clients that die) are not repeated here; docs/security.md lists them all.

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <sched.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/service_codes.h"
#include "tests/integration/support/unix_socket.h"
#include "tests/integration/support/user_clients.h"
#include "tests/support/catch2.h"
#include "tests/support/client_commands.h"

using namespace tbs::test;
using tbs::proto::Buffer;
using tbs::proto::Status;

namespace {

constexpr uid_t kVictim = 20001;
constexpr uid_t kAttacker = 20002;
constexpr std::uint32_t kOwner = TPM2_RH_OWNER;
constexpr std::uint32_t kLoadedSessions = TPM2_HMAC_SESSION_FIRST;
constexpr std::uint32_t kSavedSessions = TPM2_POLICY_SESSION_FIRST;
constexpr std::uint32_t kCcContextSave = TPM2_CC_ContextSave;
constexpr std::uint32_t kCcContextLoad = TPM2_CC_ContextLoad;
constexpr std::uint32_t kCcGetRandom = TPM2_CC_GetRandom;
constexpr std::uint32_t kCcGetCommandAuditDigest = TPM2_CC_GetCommandAuditDigest;
constexpr std::uint32_t kCcSetCommandCodeAuditStatus = TPM2_CC_SetCommandCodeAuditStatus;
constexpr std::uint32_t kCcGetSessionAuditDigest = TPM2_CC_GetSessionAuditDigest;
constexpr std::uint32_t kCcPolicySecret = TPM2_CC_PolicySecret;
constexpr std::uint32_t kCcPolicyAuthorize = TPM2_CC_PolicyAuthorize;
constexpr std::uint32_t kPassword = TPM2_RH_PW;
constexpr std::uint32_t kEndorsement = TPM2_RH_ENDORSEMENT;
constexpr std::uint32_t kNull = TPM2_RH_NULL;
constexpr std::uint32_t kBlocked = tbs::proto::service::kCommandBlocked;
constexpr std::uint32_t kHrLoaded = TPM2_PT_HR_LOADED;
constexpr std::uint32_t kHrActive = TPM2_PT_HR_ACTIVE;

Buffer bare_command(std::uint32_t code, const Buffer& body) {
  Buffer command;
  tbs::proto::ByteWriter writer(command);
  writer.be16(TPM2_ST_NO_SESSIONS);
  writer.be32(static_cast<std::uint32_t>(10 + body.size()));
  writer.be32(code);
  writer.bytes(body);
  return command;
}

Buffer context_save(std::uint32_t handle) {
  Buffer body;
  tbs::proto::ByteWriter(body).be32(handle);
  return bare_command(kCcContextSave, body);
}

// The blob of a ContextSave's response, as ContextLoad takes it.
Buffer context_load(const Buffer& saved) {
  return bare_command(kCcContextLoad, Buffer(saved.begin() + 10, saved.end()));
}

// A command with these handles, of which the first `authorized` have the empty password.
Buffer authorized_command(std::uint32_t code, std::initializer_list<std::uint32_t> handles,
                          std::uint32_t authorized, const Buffer& parameters) {
  Buffer body;
  tbs::proto::ByteWriter writer(body);
  for (const std::uint32_t handle : handles) writer.be32(handle);
  if (authorized > 0) writer.be32(9 * authorized);
  for (std::uint32_t i = 0; i < authorized; ++i) {
    writer.be32(kPassword);
    writer.bytes(Buffer(5));
  }
  writer.bytes(parameters);
  Buffer command = bare_command(code, body);
  if (authorized > 0) command[1] = TPM2_ST_SESSIONS & 0xFF;
  return command;
}

// Of a handle that the client does not have: said by the daemon, not by the TPM.
bool refused_by_daemon(std::uint32_t code) {
  return (code & TSS2_RC_LAYER_MASK) == TSS2_RESMGR_RC_LAYER;
}

Buffer policy_secret(std::uint32_t entity, std::uint32_t session) {
  // No nonce, cpHash or policyRef; no expiration.
  return authorized_command(kCcPolicySecret, {entity, session}, 1, Buffer(10));
}

Buffer policy_authorize(std::uint32_t session) {
  // An empty policy, reference and name of a key, and a ticket of the null hierarchy.
  Buffer parameters(6);
  tbs::proto::ByteWriter writer(parameters);
  writer.be16(TPM2_ST_VERIFIED);
  writer.be32(kNull);
  writer.be16(0);
  return authorized_command(kCcPolicyAuthorize, {session}, 0, parameters);
}

// No qualifying data, no scheme: what the two commands that attest a digest end with.
const Buffer kUnsigned = {0, 0, 0, 0x10};

// A victim with a key that signs and a policy session that is in the middle of its work.
struct Victim {
  RawClient client;
  std::uint32_t key;
  std::uint32_t session;
  Buffer digest;

  explicit Victim(TestBench& bench)
      : client(context_of(bench, kVictim)),
        key(tpm::handle(client.response(command::create_primary(kOwner, 1)))),
        session(tpm::handle(client.response(command::start_policy()))) {
    REQUIRE(code(client, command::policy_command_code(session, kCcGetRandom)) == 0);
    digest = tpm::sized_bytes(client.response(command::policy_digest(session)));
  }

  // It does not notice that anything has happened.
  void check() {
    CHECK(code(client, command::sign(key)) == 0);
    CHECK(tpm::sized_bytes(client.response(command::policy_digest(session))) == digest);
  }
};

std::size_t descriptors_of(pid_t pid) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("an attacker guesses the victim's handles") {
  if (!can_become_nobody()) return;
  TestBench bench;
  Victim victim(bench);
  RawClient attacker = context_of(bench, kAttacker);
  for (std::uint32_t handle = tpm::kTransientFirst; handle < tpm::kTransientFirst + 64; ++handle) {
    CHECK(code(attacker, tpm::read_public(handle)) != 0);
    CHECK(code(attacker, command::sign(handle)) != 0);
    CHECK(code(attacker, context_save(handle)) != 0);
    CHECK(code(attacker, tpm::flush_context(handle)) != 0);
  }
  for (std::uint32_t index = 0; index < 64; ++index) {
    for (const std::uint32_t kind : {kLoadedSessions, kSavedSessions}) {
      CHECK(code(attacker, command::policy_digest(kind + index)) != 0);
      CHECK(code(attacker, command::policy_command_code(kind + index, kCcGetRandom)) != 0);
      CHECK(code(attacker, context_save(kind + index)) != 0);
      CHECK(code(attacker, tpm::flush_context(kind + index)) != 0);
    }
  }
  victim.check();
}

TEST_CASE("GetCapability shows an attacker nothing of the victim's") {
  if (!can_become_nobody()) return;
  TestBench bench;
  Victim victim(bench);
  RawClient attacker = context_of(bench, kAttacker);
  for (const std::uint32_t first : {tpm::kTransientFirst, kLoadedSessions, kSavedSessions}) {
    CHECK(tpm::handles(attacker.response(tpm::get_handles(first))).empty());
    CHECK(!tpm::handles(victim.client.response(tpm::get_handles(first))).empty() ==
          (first != kSavedSessions));
  }
  // Nor how many there are.
  for (const std::uint32_t count : {kHrLoaded, kHrActive}) {
    CHECK(tpm::property(attacker.response(tpm::get_property(count))) == 0);
    CHECK(tpm::property(victim.client.response(tpm::get_property(count))) == 1);
  }
  victim.check();
}

TEST_CASE("a stolen saved session is of no use to another user") {
  if (!can_become_nobody()) return;
  TestBench bench;
  Victim victim(bench);
  const Buffer saved = victim.client.response(context_save(victim.session));
  RawClient attacker = context_of(bench, kAttacker);
  CHECK(code(attacker, context_load(saved)) != 0);
  CHECK(code(attacker, tpm::flush_context(victim.session)) != 0);
  CHECK(code(victim.client, context_load(saved)) == 0);
  victim.check();
}

TEST_CASE("an attacker that reuses the victim's numbers after its close finds nothing") {
  if (!can_become_nobody()) return;
  TestBench bench;
  RawClient attacker = context_of(bench, kAttacker);
  for (int round = 0; round < 10; ++round) {
    std::optional<Victim> victim(bench);
    const std::uint32_t session = victim->session;
    const std::uint32_t key = victim->key;
    // At the same time as the close, and after it.
    victim.reset();
    for (int i = 0; i < 10; ++i) {
      CHECK(code(attacker, command::sign(key)) != 0);
      CHECK(code(attacker, command::policy_digest(session)) != 0);
    }
  }
}

TEST_CASE("an attacker takes all sessions it can get") {
  if (!can_become_nobody()) return;
  TestBench bench;
  Victim victim(bench);
  std::vector<RawClient> attackers;
  std::size_t taken = 0;
  for (int i = 0; i < 4; ++i) {
    attackers.push_back(context_of(bench, kAttacker));
    while (code(attackers.back(), command::start_policy()) == 0) ++taken;
  }
  CHECK(taken <= 48);
  // The victim has what it had, and can have more.
  victim.check();
  for (int i = 0; i < 8; ++i) CHECK(code(victim.client, command::start_policy()) == 0);
  victim.check();
}

TEST_CASE("descriptors that are passed go nowhere") {
  TestBench bench;
  RawClient neighbour = bench.context();
  const pid_t daemon = bench.daemon().program().pid();
  const int socket = connect_to(bench.socket());
  REQUIRE(eventually([&] { return !bench.contexts().empty(); }));
  const Buffer hello = frame_of(1, tbs::proto::Hello{});
  const std::size_t before = descriptors_of(daemon);
  const int passed = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  for (const std::uint8_t byte : hello) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    std::uint8_t copy = byte;
    iovec data{.iov_base = &copy, .iov_len = 1};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &passed, sizeof(int));
    REQUIRE(::sendmsg(socket, &message, MSG_NOSIGNAL) == 1);
  }
  REQUIRE(eventually([&] { return bench.contexts().size() == 2; }));
  CHECK(descriptors_of(daemon) == before);
  CHECK(code(neighbour, tpm::get_random(8)) == 0);
  ::close(passed);
  ::close(socket);
}

TEST_CASE("root in a user namespace of its own is the user who made it") {
  if (!can_become_nobody()) return;
  TestBench bench;
  const std::string socket = bench.everybodys_socket();
  const int outcome = as_nobody([&] {
    // Its own PID namespace as well: the processes of the two sides do not know each other.
    if (::unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0) return 77;
    write_file("/proc/self/uid_map", "0 65534 1");
    if (::getuid() != 0) return 77;
    const pid_t child = ::fork();
    if (child == 0) {
      RawClient client = RawClient::context(socket);
      const Answer answer = client.call(tpm::clear());
      ::_exit(tpm::code(answer.response) == kBlocked ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
  });
  if (outcome == 77) {
    WARN("skipped: no user namespaces here");
    return;
  }
  CHECK(outcome == 0);
}

TEST_CASE("policy commands that name what is the victim's") {
  if (!can_become_nobody()) return;
  TestBench bench;
  Victim victim(bench);
  RawClient attacker = context_of(bench, kAttacker);
  const std::uint32_t own = tpm::handle(attacker.response(command::start_policy()));
  // Its own session is served, so the commands are good ones.
  CHECK(code(attacker, policy_secret(kOwner, own)) == 0);
  CHECK_FALSE(refused_by_daemon(code(attacker, policy_authorize(own))));
  CHECK(refused_by_daemon(code(attacker, policy_secret(kOwner, victim.session))));
  CHECK(refused_by_daemon(code(attacker, policy_secret(victim.key, own))));
  CHECK(refused_by_daemon(code(attacker, policy_authorize(victim.session))));
  CHECK(refused_by_daemon(code(attacker, command::policy_digest(victim.session))));
  victim.check();
}

TEST_CASE("audit commands tell an attacker nothing of the victim's") {
  if (!can_become_nobody()) return;
  TestBench bench;
  Victim victim(bench);
  RawClient attacker = context_of(bench, kAttacker);
  const std::uint32_t own = tpm::handle(attacker.response(command::start_policy()));
  const auto session_digest = [](std::uint32_t session) {
    return authorized_command(kCcGetSessionAuditDigest, {kEndorsement, kNull, session}, 2,
                              kUnsigned);
  };
  // The TPM looks at the attacker's session, and never at the victim's.
  CHECK_FALSE(refused_by_daemon(code(attacker, session_digest(own))));
  CHECK(refused_by_daemon(code(attacker, session_digest(victim.session))));
  // What is audited, and the digest of it, which begins anew with each look, are the
  // administrators'.
  const Buffer no_change = {0, 0x0B, 0, 0, 0, 0, 0, 0, 0, 0};
  CHECK(code(attacker, authorized_command(kCcSetCommandCodeAuditStatus, {kOwner}, 1, no_change)) ==
        kBlocked);
  const Buffer digest =
      authorized_command(kCcGetCommandAuditDigest, {kEndorsement, kNull}, 2, kUnsigned);
  CHECK(code(attacker, digest) == kBlocked);
  RawClient root = bench.context();
  CHECK(code(root, digest) == 0);
  victim.check();
}

TEST_CASE("an attacker cannot fill the log") {
  if (!can_become_nobody()) return;
  TestBench bench({.arguments = {"--orphans-per-user=0", "--max-contexts-per-user=3"}});
  RawClient victim = context_of(bench, kVictim);
  constexpr int kRounds = 60;
  for (int i = 0; i < kRounds; ++i) {
    RawClient attacker = context_of(bench, kAttacker);
    // Blocked commands, sessions that are left behind, contexts beyond the limit, broken frames.
    CHECK(code(attacker, tpm::clear()) == kBlocked);
    const std::uint32_t session = tpm::handle(attacker.response(command::start_policy()));
    CHECK(code(attacker, context_save(session)) == 0);
    const ConnectingAs other(kAttacker);
    RawClient breaker = bench.connect();
    breaker.send_bytes(Buffer(64, 0xFF));
    breaker.receive();
    std::vector<RawClient> more;
    for (int n = 0; n < 4; ++n) {
      more.push_back(bench.connect());
      more.back().hello(tbs::proto::Role::Context);
    }
  }
  CHECK(code(victim, tpm::get_random(8)) == 0);
  // Each kind of line has said that there were more.
  RawClient root = bench.context();
  CHECK(bench.stop_daemon() == 0);
  const std::string log = bench.daemon().log();
  CHECK(std::ranges::count(log, '\n') < 80);
  for (const char* const kind : {"was blocked by a rule", "nobody loaded it", "no context for"}) {
    INFO(kind);
    std::size_t lines = 0;
    for (auto at = log.find(kind); at != log.npos; at = log.find(kind, at + 1)) ++lines;
    CHECK(lines >= 5);
    CHECK(lines <= 12);
  }
}

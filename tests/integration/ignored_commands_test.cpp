// Users' programs that begin with TPM2_Startup or end with TPM2_Shutdown get what the TPM itself
// says to them, and it never hears of it. Administrators' reach it, as does what a rule allows.

#include <atomic>

#include "proto/service_codes.h"
#include "proto/tpm/commands.h"
#include "proto/tpm_header.h"
#include "tests/integration/support/lying_tpm.h"
#include "tests/integration/support/user_clients.h"
#include "tests/support/catch2.h"
#include "tests/support/tpm_message.h"

using namespace tbs::test;
using tbs::proto::Buffer;
using tbs::proto::Status;
using tbs::test::message;
namespace build = tbs::tpm::build;

namespace {

constexpr std::uint32_t kBlocked = tbs::proto::service::kCommandBlocked;
constexpr std::uint32_t kStartup = tbs::tpm::cc::kStartup;
constexpr std::uint32_t kShutdown = tbs::tpm::cc::kShutdown;

std::vector<Buffer> both(std::uint16_t tag, const std::vector<Buffer>& bodies) {
  std::vector<Buffer> commands;
  for (const std::uint32_t code : {kStartup, kShutdown}) {
    for (const Buffer& body : bodies) commands.push_back(message(tag, code, body));
  }
  return commands;
}

// Right ones and wrong ones: each size and value that a TPM looks at.
std::vector<Buffer> starts_and_stops() {
  return both(tbs::tpm::kTagNoSessions,
              {{}, {0}, {0, 0}, {0, 1}, {0, 2}, {1, 0}, {0, 0, 0}, {0, 1, 0, 0}, {0, 2, 0xff}});
}

// A tag that is none, and authorizations that are none. What stands behind tbsd answers itself.
std::vector<Buffer> starts_and_stops_in_disorder() {
  std::vector<Buffer> commands =
      both(tbs::tpm::kTagSessions, {{},
                                    {0, 0, 0},
                                    {0, 0, 0, 0},
                                    {0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0},
                                    {0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0},
                                    {0xff, 0xff, 0xff, 0xff, 0x40, 0, 0, 9, 0, 0, 0, 0, 0}});
  for (const std::uint16_t tag : std::vector<std::uint16_t>{0x0000, 0x00c1, 0x8003}) {
    for (Buffer& command : both(tag, {{}, {0, 0}})) commands.push_back(std::move(command));
  }
  return commands;
}

// An HMAC session that audits the command, as TPM2_Shutdown allows. Its HMAC is wrong, but nobody
// gets as far as to see that.
Buffer audited_shutdown() {
  return message(tbs::tpm::kTagSessions, kShutdown,
                 {0, 0, 0, 9, 2, 0, 0, 0, 0, 0, 0x81, 0, 0, 0, 0});
}

// tbsd on a swtpm, with a count of what starts or stops the TPM.
class CountedTpm {
 public:
  explicit CountedTpm(std::vector<std::string> arguments = {}) {
    swtpm_.start();
    liar_ = std::make_unique<LyingTpm>(folder_, swtpm_);
    liar_->lie([this](const Buffer& command, const LyingTpm::Ask& ask) {
      const std::uint32_t code = tbs::proto::read_tpm_header(command)->code;
      if (code == kStartup) ++starts_;
      if (code == kShutdown) ++stops_;
      return ask(command);
    });
    daemon_ = std::make_unique<DaemonProcess>(
        folder_, DaemonOptions{.device = liar_->device(), .arguments = std::move(arguments)});
    daemon_->wait_until_listening();
    // It has been started when this is answered.
    REQUIRE(administrator().call(tpm::get_random(8)).status == Status::Success);
  }

  RawClient administrator() { return RawClient::context(daemon_->admin_socket()); }
  RawClient user() {
    const ConnectingAs other(kNobody);
    return RawClient::context(daemon_->everybodys_socket());
  }
  [[nodiscard]] int starts() const { return starts_; }
  [[nodiscard]] int stops() const { return stops_; }
  int stop() { return daemon_->stop(); }

 private:
  TempFolder folder_;
  SwtpmProcess swtpm_{folder_};
  std::atomic<int> starts_{0};
  std::atomic<int> stops_{0};
  std::unique_ptr<LyingTpm> liar_;
  std::unique_ptr<DaemonProcess> daemon_;
};

bool can_count() {
  if (!can_become_nobody()) return false;
  if (device_under_test() == DeviceKind::Swtpm) return true;
  WARN("skipped: it looks at the connection to a swtpm");
  return false;
}

}  // namespace

TEST_CASE("a user who starts or stops the TPM is told what the TPM tells an administrator") {
  if (!can_become_nobody()) return;
  TestBench bench;
  RawClient user = context_of(bench, kNobody);
  RawClient root = bench.context();
  for (const Buffer& command : starts_and_stops()) {
    CAPTURE(command);
    CHECK(user.response(command) == root.response(command));
  }
  CHECK(code(user, build::startup(TPM2_SU_CLEAR)) == TPM2_RC_INITIALIZE);
  CHECK(code(user, build::shutdown(TPM2_SU_STATE)) == tpm::kSuccess);
  CHECK(code(user, tpm::get_random(8)) == tpm::kSuccess);
  CHECK(bench.daemon().log().find("was blocked by a rule") == std::string::npos);
  // What a session protects is the TPM's to answer, and users do not get there.
  CHECK(code(user, audited_shutdown()) == kBlocked);
  CHECK(bench.daemon().log().find("was blocked by a rule (profile linux)") != std::string::npos);
}

TEST_CASE("mistakes that tbsd would find are answered as by the TPM alone") {
  if (!can_count()) return;
  std::vector<Buffer> commands = starts_and_stops();
  for (Buffer& command : starts_and_stops_in_disorder()) commands.push_back(std::move(command));
  std::vector<Buffer> wanted;
  {
    const TempFolder folder;
    SwtpmProcess swtpm(folder);
    swtpm.start();
    REQUIRE(tpm::code(swtpm.ask(build::startup(TPM2_SU_CLEAR))) == tpm::kSuccess);
    for (const Buffer& command : commands) wanted.push_back(swtpm.ask(command));
  }
  CountedTpm tpm;
  RawClient user = tpm.user();
  for (std::size_t i = 0; i < commands.size(); ++i) {
    CAPTURE(commands[i]);
    CHECK(user.response(commands[i]) == wanted[i]);
  }
  CHECK(tpm.stop() == 0);
}

TEST_CASE("the TPM does not hear of users who start and stop it") {
  if (!can_count()) return;
  CountedTpm tpm;
  RawClient user = tpm.user();
  const int starts = tpm.starts();
  for (int i = 0; i < 50; ++i) {
    CHECK(code(user, build::startup(TPM2_SU_CLEAR)) == TPM2_RC_INITIALIZE);
    CHECK(code(user, build::shutdown(TPM2_SU_CLEAR)) == tpm::kSuccess);
  }
  CHECK(code(user, tpm::get_random(8)) == tpm::kSuccess);
  CHECK(tpm.starts() == starts);
  CHECK(tpm.stops() == 0);
  RawClient administrator = tpm.administrator();
  CHECK(code(administrator, build::startup(TPM2_SU_CLEAR)) == TPM2_RC_INITIALIZE);
  CHECK(code(administrator, build::shutdown(TPM2_SU_CLEAR)) == tpm::kSuccess);
  CHECK(tpm.starts() == starts + 1);
  CHECK(tpm.stops() == 1);
  CHECK(code(user, tpm::get_random(8)) == tpm::kSuccess);
  CHECK(tpm.stop() == 0);
}

TEST_CASE("rules of the administrator's come before what is ignored") {
  if (!can_count()) return;
  const TempFolder folder;
  write_file(folder / "10-test.conf", "block user command Startup\nallow user command Shutdown\n");
  CountedTpm tpm({"--policy-dir=" + folder.path()});
  RawClient user = tpm.user();
  const int starts = tpm.starts();
  CHECK(code(user, build::startup(TPM2_SU_CLEAR)) == kBlocked);
  CHECK(code(user, build::shutdown(TPM2_SU_CLEAR)) == tpm::kSuccess);
  CHECK(tpm.starts() == starts);
  CHECK(tpm.stops() == 1);
  CHECK(tpm.stop() == 0);
}

// TPMs in states and with answers that a good one has seldom or never. What a client sees then,
// what the status says, that nobody else is harmed, and that the TPM is used again when it is over:
// one row for each.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "client/include/tbs/tbsx.h"
#include "proto/tpm/command_builder.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"
#include "tests/integration/support/odd_chip.h"
#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using namespace std::chrono_literals;
using tbs::proto::Buffer;
using tbs::proto::DeviceState;
using tbs::proto::Status;
namespace cc = tbs::tpm::cc;
namespace rc = tbs::tpm::rc;

namespace {

constexpr std::uint32_t kIndex = 0x01500777;

struct Row {
  const char* name;
  LyingTpm::Lie lie;
  // What a program on libtbs sends, and the response code that it gets; none: TBS_E_IOERROR.
  Buffer command;
  std::optional<std::uint32_t> gets;
  // Part of what the status says is wrong; null: nothing is.
  const char* problem = nullptr;
  // What another program gets for a random number meanwhile.
  std::uint32_t neighbour = rc::kSuccess;
  // How often the device is opened anew for it.
  std::uint64_t reopened = 0;
};

Buffer vendor_command() {
  return tbs::tpm::CommandBuilder(cc::kVendorBit | 0x123).u32(7).finish();
}

// A response that says so many bytes.
Buffer response(std::uint16_t tag, std::uint32_t size, std::size_t bytes) {
  Buffer made;
  tbs::proto::ByteWriter writer(made);
  writer.be16(tag);
  writer.be32(size);
  writer.be32(rc::kSuccess);
  made.resize(bytes, 0x5A);
  return made;
}

std::vector<Row> rows() {
  const Buffer random = tpm::get_random(8);
  const Buffer key = tpm::create_primary_ecc();
  const Buffer session = tpm::start_auth_session(TPM2_SE_POLICY);
  const Buffer write = tpm::nv_write(kIndex, Buffer(8, 1));
  const odd::Codes only_these = {cc::kGetCapability, cc::kGetTestResult};
  const odd::Codes of_session = {cc::kStartAuthSession};
  const odd::Codes of_key = {cc::kCreatePrimary};
  return {
      // States of the TPM as a whole.
      {"failure mode", in_failure_mode, random, rc::kFailure, "failure mode", rc::kFailure},
      {"field upgrade mode", odd::answers_all_but(only_these, rc::kUpgrade), random, rc::kUpgrade,
       "field upgrade mode", rc::kUpgrade},
      {"field upgrade mode, to the last command", odd::answers({}, rc::kUpgrade), random,
       rc::kUpgrade, "field upgrade mode", rc::kUpgrade},
      {"lockout", odd::answers({cc::kNvWrite}, rc::kLockout), write, rc::kLockout},
      {"a self-test that goes on",
       odd::answers_for(2s, {cc::kGetRandom, cc::kCreatePrimary}, rc::kTesting), random,
       rc::kSuccess},
      // Not now.
      {"RETRY", odd::answers_every_second({}, rc::kRetry), key, rc::kSuccess},
      {"YIELDED", odd::answers_every_second({}, rc::kYielded), key, rc::kSuccess},
      {"NV_RATE", odd::answers_every_second({cc::kNvWrite}, rc::kNvRate), write, rc::kSuccess},
      {"NV_RATE for a while", odd::answers_for(1s, {cc::kNvWrite}, rc::kNvRate), write,
       rc::kSuccess},
      // No room, though there should be some.
      {"OBJECT_MEMORY now and then", odd::answers_every_second(of_key, rc::kObjectMemory), key,
       rc::kSuccess},
      {"OBJECT_MEMORY", odd::answers(of_key, rc::kObjectMemory), key, rc::kObjectMemory},
      {"OBJECT_HANDLES", odd::answers(of_key, rc::kObjectHandles), key, rc::kObjectHandles},
      {"MEMORY", odd::answers(of_key, rc::kMemory), key, rc::kMemory},
      {"SESSION_MEMORY now and then", odd::answers_every_second(of_session, rc::kSessionMemory),
       session, rc::kSuccess},
      {"SESSION_MEMORY", odd::answers(of_session, rc::kSessionMemory), session, rc::kSessionMemory},
      // Answers that make no sense.
      {"a tag of another kind", odd::spoils({cc::kGetRandom}, response(0x8002, 20, 20)), random,
       std::nullopt},
      {"a tag of no kind", odd::spoils({cc::kGetRandom}, response(0x1234, 20, 20)), random,
       std::nullopt},
      {"no handle", odd::spoils(of_key, response(0x8001, 10, 10)), key, std::nullopt},
      {"more than it says", odd::spoils(of_key, response(0x8001, 10, 14)), key, std::nullopt,
       nullptr, rc::kSuccess, 1},
      {"a size below a header's", odd::spoils(of_key, response(0x8001, 4, 10)), key, std::nullopt,
       nullptr, rc::kSuccess, 1},
      {"an endless size", odd::spoils(of_key, response(0x8001, 0xFFFFFFFF, 10)), key, std::nullopt,
       nullptr, rc::kSuccess, 1},
      {"no answer but the end", odd::spoils(of_key, {}), key, std::nullopt, nullptr, rc::kSuccess,
       1},
      // Commands of the maker's own that the TPM does not list.
      {"a vendor's command", odd::answers({cc::kVendorBit | 0x123}, rc::kSuccess), vendor_command(),
       tbs::tpm::by_resource_manager(rc::kCommandCode)},
  };
}

struct Seen {
  TBS_RESULT result = TBS_E_INTERNAL_ERROR;
  std::optional<std::uint32_t> code;
  bool operator==(const Seen&) const = default;
};

// A program on libtbs.
class Application {
 public:
  explicit Application(const std::string& socket) {
    const TBS_CONTEXT_PARAMS2 params{.version = TBS_CONTEXT_VERSION_TWO, .asUINT32 = 4};
    REQUIRE(Tbsx_Context_Create(reinterpret_cast<PCTBS_CONTEXT_PARAMS>(&params), socket.c_str(),
                                &context_) == TBS_SUCCESS);
  }
  ~Application() { Tbsip_Context_Close(context_); }
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  Seen run(const Buffer& command) {
    Buffer answer(4096);
    auto size = static_cast<UINT32>(answer.size());
    const TBS_RESULT result =
        Tbsip_Submit_Command(context_, 0, TBS_COMMAND_PRIORITY_NORMAL, command.data(),
                             static_cast<UINT32>(command.size()), answer.data(), &size);
    if (result != TBS_SUCCESS) return {.result = result, .code = std::nullopt};
    answer.resize(size);
    return {.result = result, .code = tpm::code(answer)};
  }

 private:
  TBS_HCONTEXT context_ = nullptr;
};

Seen expected_of(const Row& row) {
  if (!row.gets) return {.result = TBS_E_IOERROR, .code = std::nullopt};
  return {.result = TBS_SUCCESS, .code = row.gets};
}

// A client that has something of each kind on the TPM, and finds it there afterwards.
class Keeper {
 public:
  explicit Keeper(const std::string& socket)
      : client_(RawClient::context(socket)),
        key_(tpm::handle(client_.response(tpm::create_primary_ecc()))),
        public_(client_.response(tpm::read_public(key_))),
        session_(tpm::handle(client_.response(tpm::start_auth_session(TPM2_SE_POLICY)))),
        sequence_(tpm::handle(client_.response(tpm::hash_sequence_start()))) {
    client_.response(tpm::sequence_update(sequence_, Buffer(3, 'a')));
  }

  [[nodiscard]] std::uint64_t context() const { return client_.context_id(); }

  void finds_all_of_it() {
    CHECK(client_.response(tpm::read_public(key_)) == public_);
    CHECK(tpm::code(client_.response(tpm::policy_secret(TPM2_RH_OWNER, session_, ""))) ==
          tpm::kSuccess);
    const Buffer whole = client_.response(tpm::hash(Buffer(3, 'a')));
    const Buffer hash = client_.response(tpm::sequence_complete(sequence_));
    CHECK(tpm::code(hash) == tpm::kSuccess);
    if (tpm::code(hash) == tpm::kSuccess) {
      CHECK(tpm::sequence_result(hash) == tpm::sized_bytes(whole));
    }
  }

 private:
  RawClient client_;
  std::uint32_t key_;
  Buffer public_;
  std::uint32_t session_;
  std::uint32_t sequence_;
};

// tbsd on an odd TPM.
class OddBench {
 public:
  OddBench() { swtpm_.start(); }

  void start(const char* share = "idle") {
    // Without a control channel: what a power cycle would do is no part of it.
    daemon_.emplace(folder_,
                    DaemonOptions{.device = liar_.device(false), .arguments = {"--share", share}});
    daemon_->wait_until_listening();
    observer_.emplace(RawClient::observer(daemon_->socket()));
  }
  LyingTpm& chip() { return liar_; }
  [[nodiscard]] const std::string& socket() const { return daemon_->socket(); }
  tbs::proto::DaemonStatusReply status() { return observer_->ask(tbs::proto::DaemonStatus{}); }
  bool comes_to(DeviceState state) {
    return eventually([&] { return status().device_state == state; });
  }
  // Whether all that this context has is taken out of the TPM, as it is after a pause.
  bool comes_to_be_saved(std::uint64_t context) {
    return eventually([&] {
      const auto held = observer_->ask(tbs::proto::ListHoldings{.context = context}).entries;
      return std::ranges::none_of(held, [](const auto& each) { return each.loaded != 0; });
    });
  }
  int stop() { return daemon_->stop(); }

  // What `tbsctl health` says, with its exit code.
  std::pair<int, std::string> health() {
    const std::string output = folder_ / ("health" + std::to_string(++questions_));
    Program tbsctl({.command = {TBS_TEST_TBSCTL, "health", "--timeout", "60000"},
                    .environment = {"TBS_SOCKET=" + daemon_->socket()},
                    .output = output});
    const int exit_code = tbsctl.wait().value_or(-1);
    return {exit_code, read_file(output)};
  }

#ifdef TBS_TEST_TCTI
  // Whether tpm2-tools get a random number.
  bool tools_work() {
    Program tool(
        {.command = {"/usr/bin/tpm2_getrandom", "-T",
                     std::string(TBS_TEST_TCTI) + ":socket=" + daemon_->socket(), "--hex", "8"},
         .environment = {},
         .output = folder_ / "tool.log"});
    return tool.wait() == 0;
  }
#endif

 private:
  TempFolder folder_;
  SwtpmProcess swtpm_{folder_};
  LyingTpm liar_{folder_, swtpm_};
  std::optional<DaemonProcess> daemon_;
  std::optional<RawClient> observer_;
  int questions_ = 0;
};

bool on_swtpm() {
  if (device_under_test() == DeviceKind::Swtpm) return true;
  WARN("skipped: it stands in front of a swtpm");
  return false;
}

}  // namespace

TEST_CASE("a TPM in an odd state costs nobody what it need not") {
  if (!on_swtpm()) return;
  for (const Row& row : rows()) {
    DYNAMIC_SECTION(row.name) {
      OddBench bench;
      // What is only in the TPM goes with a device that has to be opened anew.
      bench.start(row.reopened > 0 ? "idle" : "exclusive");
      Keeper keeper(bench.socket());
      Application application(bench.socket());
      const Seen well{.result = TBS_SUCCESS, .code = rc::kSuccess};
      REQUIRE(application.run(tpm::nv_define(kIndex, 8)) == well);
      RawClient neighbour = RawClient::context(bench.socket());

      if (row.reopened > 0) REQUIRE(bench.comes_to_be_saved(keeper.context()));
      bench.chip().lie(row.lie);
      CHECK(application.run(row.command) == expected_of(row));
      if (row.problem != nullptr) {
        CHECK(bench.comes_to(DeviceState::Down));
        CHECK_THAT(bench.status().problem, Catch::Matchers::ContainsSubstring(row.problem));
        CHECK_FALSE(bench.status().advice.empty());
        const auto [exit_code, said] = bench.health();
        CHECK(exit_code == 2);
        CHECK_THAT(said, Catch::Matchers::ContainsSubstring(row.problem));
        CHECK(application.run(row.command) == expected_of(row));
      }
      if (row.reopened == 0 && row.gets) {
        CHECK(tpm::code(neighbour.response(tpm::get_random(8))) == row.neighbour);
      }

      bench.chip().be_honest();
      CHECK(bench.comes_to(DeviceState::Ready));
      CHECK(bench.status().problem.empty());
      CHECK(bench.status().reopened == row.reopened);
      CHECK(tpm::code(neighbour.response(tpm::get_random(8))) == rc::kSuccess);
      keeper.finds_all_of_it();
      CHECK(application.run(tpm::get_random(8)) == well);
      CHECK(bench.health().first == 0);
#ifdef TBS_TEST_TCTI
      if (!sanitized()) CHECK(bench.tools_work());
#endif
      CHECK(bench.stop() == 0);
    }
  }
}

TEST_CASE("while one client's command is put off, others are answered") {
  if (!on_swtpm()) return;
  const Buffer key = tpm::create_primary_ecc();
  const Buffer write = tpm::nv_write(kIndex, Buffer(8, 1));
  const auto [code, command, warning] =
      GENERATE_COPY(std::tuple(cc::kCreatePrimary, key, rc::kRetry),
                    std::tuple(cc::kCreatePrimary, key, rc::kTesting),
                    std::tuple(cc::kCreatePrimary, key, rc::kYielded),
                    std::tuple(cc::kNvWrite, write, rc::kNvRate));
  OddBench bench;
  bench.start();
  Keeper keeper(bench.socket());
  RawClient neighbour = RawClient::context(bench.socket());
  REQUIRE(tpm::code(neighbour.response(tpm::nv_define(kIndex, 8))) == rc::kSuccess);
  RawClient client = RawClient::context(bench.socket());

  bench.chip().lie(odd::answers({code}, warning));
  client.submit(1, command);
  client.submit(2, tpm::get_random(8));
  for (int i = 0; i < 20; ++i) {
    CHECK(tpm::code(neighbour.response(tpm::get_random(8))) == rc::kSuccess);
  }
  keeper.finds_all_of_it();
  CHECK(bench.status().device_state == DeviceState::Ready);
  CHECK_FALSE(client.has_frame(0ms));

  SECTION("it is carried out when the TPM is ready") {
    bench.chip().be_honest();
    const Answer first = client.receive_result();
    CHECK(first.request_id == 1);
    CHECK(first.status == Status::Success);
    CHECK(tpm::code(first.response) == rc::kSuccess);
    // What came after it was kept behind it.
    CHECK(client.receive_result().request_id == 2);
  }
  SECTION("it is cancelled at once") {
    client.send(3, tbs::proto::Cancel{});
    // The first may be with the TPM just then: it is answered last, after the reply to the cancel.
    std::vector<std::uint64_t> canceled;
    for (int frames = 0; frames < 3; ++frames) {
      const auto received = client.receive();
      REQUIRE(received);
      if (received->type != tbs::proto::Type::Result) continue;
      const auto result = tbs::proto::decode<tbs::proto::Result>(received->payload);
      REQUIRE(result);
      CHECK(result->status == Status::CommandCanceled);
      canceled.push_back(received->request_id);
    }
    std::ranges::sort(canceled);
    CHECK(canceled == std::vector<std::uint64_t>{1, 2});
  }
  CHECK(bench.stop() == 0);
}

TEST_CASE("however many clients write to a flash that wants a pause, the TPM is asked for one") {
  if (!on_swtpm()) return;
  OddBench bench;
  bench.start();
  const Buffer write = tpm::nv_write(kIndex, Buffer(8, 1));
  std::vector<RawClient> writers;
  for (int i = 0; i < 8; ++i) writers.push_back(RawClient::context(bench.socket()));
  REQUIRE(tpm::code(writers.front().response(tpm::nv_define(kIndex, 8))) == rc::kSuccess);

  const auto asked = std::make_shared<std::atomic<int>>(0);
  bench.chip().lie([asked, refuses = odd::answers({cc::kNvWrite}, rc::kNvRate)](
                       const Buffer& command, const LyingTpm::Ask& ask) {
    if (tbs::proto::read_tpm_header(command)->code == cc::kNvWrite) ++*asked;
    return refuses(command, ask);
  });
  const auto begin = std::chrono::steady_clock::now();
  for (RawClient& writer : writers) writer.submit(1, write);
  RawClient neighbour = RawClient::context(bench.socket());
  do {
    CHECK(tpm::code(neighbour.response(tpm::get_random(8))) == rc::kSuccess);
  } while (std::chrono::steady_clock::now() - begin < 1s);
  // Pauses of 1, 2, 4 ... 1000 ms: no more than these fit in, on a machine of any speed.
  const int counted = *asked;
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
  CHECK(counted <= 13 + passed.count());

  bench.chip().be_honest();
  for (RawClient& writer : writers) {
    CHECK(tpm::code(writer.receive_result().response) == rc::kSuccess);
  }
  CHECK(bench.stop() == 0);
}

TEST_CASE("a TPM that is in field upgrade mode from the start is sent the rest of its firmware") {
  if (!on_swtpm()) return;
  OddBench bench;
  const Buffer rest = tbs::tpm::CommandBuilder(cc::kFieldUpgradeData).sized(Buffer(8, 1)).finish();
  bench.chip().lie(odd::answers_all_but({cc::kFieldUpgradeData}, rc::kUpgrade));
  bench.start();
  REQUIRE(bench.comes_to(DeviceState::Down));
  Application application(bench.socket());
  // This TPM knows no such command, but it was asked.
  CHECK(application.run(rest) == Seen{.result = TBS_SUCCESS, .code = rc::kCommandCode});
  bench.chip().be_honest();
  CHECK(bench.comes_to(DeviceState::Ready));
  CHECK(application.run(tpm::get_random(8)) == Seen{.result = TBS_SUCCESS, .code = rc::kSuccess});
  CHECK(bench.stop() == 0);
}

TEST_CASE("a TPM with small buffers is sent nothing that does not fit") {
  if (!on_swtpm()) return;
  OddBench bench;
  bench.chip().lie(odd::with_buffers(1280));
  bench.start();
  Application application(bench.socket());
  RawClient client = RawClient::context(bench.socket());
  const auto info = client.ask(tbs::proto::DeviceInfo{});
  CHECK(info.max_command == 1280);
  CHECK(info.max_response == 1280);
  const std::uint64_t before = bench.chip().commands();
  const auto hash_of = [](std::size_t size) {
    return tbs::tpm::CommandBuilder(TPM2_CC_Hash)
        .sized(Buffer(size, 1))
        .u16(TPM2_ALG_SHA256)
        .u32(TPM2_RH_NULL)
        .finish();
  };
  CHECK(application.run(hash_of(1300)) ==
        Seen{.result = TBS_SUCCESS, .code = tbs::tpm::by_resource_manager(rc::kCommandSize)});
  CHECK(bench.chip().commands() == before);
  CHECK(application.run(hash_of(1000)) == Seen{.result = TBS_SUCCESS, .code = rc::kSuccess});
  Keeper(bench.socket()).finds_all_of_it();
  CHECK(bench.stop() == 0);
}

TEST_CASE("a TPM that has no session left has some again when somebody goes") {
  if (!on_swtpm()) return;
  OddBench bench;
  bench.chip().lie(odd::with_sessions(3));
  bench.start();
  const Buffer start = tpm::start_auth_session(TPM2_SE_POLICY);
  RawClient hoarder = RawClient::context(bench.socket());
  std::vector<std::uint32_t> sessions;
  for (int i = 0; i < 3; ++i) sessions.push_back(tpm::handle(hoarder.response(start)));
  Application application(bench.socket());
  const Seen well{.result = TBS_SUCCESS, .code = rc::kSuccess};
  // Nobody has more than others: all are of one user.
  CHECK(application.run(start) == Seen{.result = TBS_SUCCESS, .code = rc::kSessionHandles});
  CHECK(application.run(tpm::create_primary_ecc()) == well);
  for (const std::uint32_t session : sessions) {
    CHECK(tpm::code(hoarder.response(tpm::policy_secret(TPM2_RH_OWNER, session, ""))) ==
          rc::kSuccess);
  }
  CHECK(bench.status().device_state == DeviceState::Ready);
  CHECK(bench.health().first == 0);
  hoarder.close();
  CHECK(eventually([&] { return application.run(start) == well; }));
  CHECK(bench.stop() == 0);
}

// The event log through libtbs: whole however large, to whom policy allows, and the codes where
// there is none.

#include <array>
#include <filesystem>

#include <sys/stat.h>

#include "client/include/tbs/tbsx.h"
#include "tests/integration/support/other_user.h"
#include "tests/integration/support/test_bench.h"
#include "tests/support/catch2.h"

using namespace tbs::test;

namespace {

// Parts that are full, and one that is not.
constexpr std::size_t kLarge = 5 * 65536 + 1234;

std::string some_log(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 2654435761U >> 13U);
  return text;
}

// A daemon with this event log.
class LogBench {
 public:
  explicit LogBench(const std::string& log, std::vector<std::string> arguments = {}) {
    write_file(folder_ / "log", log);
    arguments.push_back("--event-log=" + folder_ / "log");
    bench_ = std::make_unique<TestBench>(DaemonOptions{.arguments = arguments});
    Tbsx_Set_Socket(bench_->socket().c_str());
  }
  ~LogBench() { Tbsx_Set_Socket(nullptr); }
  LogBench(const LogBench&) = delete;
  LogBench& operator=(const LogBench&) = delete;

  TestBench& bench() { return *bench_; }
  [[nodiscard]] std::string path() const { return folder_ / "log"; }

 private:
  TempFolder folder_;
  std::unique_ptr<TestBench> bench_;
};

TBS_HCONTEXT open_context() {
  const TBS_CONTEXT_PARAMS2 params{.version = TBS_CONTEXT_VERSION_TWO, .asUINT32 = 4};
  TBS_HCONTEXT context = nullptr;
  REQUIRE(Tbsi_Context_Create(reinterpret_cast<PCTBS_CONTEXT_PARAMS>(&params), &context) ==
          TBS_SUCCESS);
  return context;
}

struct Got {
  TBS_RESULT result;
  UINT32 size;
  std::string bytes;
};

// Calls `function` with a buffer of this size; with none when it is 0.
template <typename Function>
Got get(Function function, UINT32 capacity) {
  std::string room(capacity, '\0');
  UINT32 size = capacity;
  auto* const output = capacity == 0 ? nullptr : reinterpret_cast<PBYTE>(room.data());
  const TBS_RESULT result = function(output, &size);
  if (result == TBS_SUCCESS && capacity != 0) room.resize(size);
  return {result, size, room};
}

auto of_context(TBS_HCONTEXT context) {
  return [context](PBYTE output, PUINT32 size) { return Tbsi_Get_TCG_Log(context, output, size); };
}

auto of_type(UINT32 type) {
  return [type](PBYTE output, PUINT32 size) { return Tbsi_Get_TCG_Log_Ex(type, output, size); };
}

auto numbered(UINT32 first, UINT32 flags, PUINT32 next = nullptr) {
  return [=](PBYTE output, PUINT32 size) {
    const UINT32 capacity = *size;
    return Tbsi_Get_TCG_Logs(first, next, output, capacity, size, flags);
  };
}

TBS_RESULT log_result() {
  return get(of_type(TBS_TCGLOG_SRTM_CURRENT), 0).result;
}

}  // namespace

TEST_CASE("the log comes whole, whatever its size, and its size alone when that is asked for") {
  for (const std::size_t length :
       {std::size_t{1}, std::size_t{65536}, std::size_t{65537}, kLarge}) {
    const std::string log = some_log(length);
    LogBench bench(log);
    TBS_HCONTEXT context = open_context();
    const auto exact = static_cast<UINT32>(length);
    const Got asked = get(of_context(context), 0);
    CHECK(asked.result == TBS_SUCCESS);
    CHECK(asked.size == exact);
    const Got got = get(of_context(context), exact);
    CHECK(got.result == TBS_SUCCESS);
    CHECK(got.bytes == log);
    CHECK(get(of_context(context), TBS_IN_OUT_BUF_SIZE_MAX * 2).bytes == log);
    CHECK(get(of_type(TBS_TCGLOG_SRTM_CURRENT), exact).bytes == log);
    CHECK(get(of_type(TBS_TCGLOG_SRTM_BOOT), exact).bytes == log);
    if (length > 1) {
      const Got small = get(of_context(context), exact - 1);
      CHECK(small.result == TBS_E_INSUFFICIENT_BUFFER);
      CHECK(small.size == exact);
      CHECK(get(of_type(TBS_TCGLOG_SRTM_BOOT), 1).result == TBS_E_INSUFFICIENT_BUFFER);
    }
    CHECK(Tbsip_Context_Close(context) == TBS_SUCCESS);
    CHECK(get(of_context(context), 0).result == TBS_E_INVALID_CONTEXT);
  }
}

TEST_CASE("logs by number, alone and framed") {
  const std::string log = some_log(70000);
  LogBench bench(log);
  UINT32 next = 9;
  CHECK(get(numbered(0, 0, &next), 70000).bytes == log);
  CHECK(next == 1);
  const Got all = get(numbered(0, TBS_GET_ALL_LOGS_FLAG), 70008);
  CHECK(all.result == TBS_SUCCESS);
  CHECK(all.bytes == std::string("\x70\x11\x01\x00", 4) + log + "\xff\xff\xff\xff");
  const Got asked = get(numbered(0, TBS_GET_ALL_LOGS_FLAG), 0);
  CHECK(asked.result == TBS_SUCCESS);
  CHECK(asked.size == 70008);
  for (const UINT32 capacity : {1U, 7U, 70000U, 70007U}) {
    const Got small = get(numbered(0, TBS_GET_ALL_LOGS_FLAG), capacity);
    CHECK(small.result == TBS_E_INSUFFICIENT_BUFFER);
    CHECK(small.size == 70008);
  }
  next = 9;
  CHECK(get(numbered(1, 0, &next), 100).result == TBS_E_NO_EVENT_LOG);
  CHECK(get(numbered(0, 2, &next), 100).result == TBS_E_BAD_PARAMETER);
  CHECK(next == 9);
  BYTE byte = 0;
  CHECK(Tbsi_Get_TCG_Logs(0, nullptr, &byte, 1, nullptr, 0) == TBS_E_INVALID_OUTPUT_POINTER);
  UINT32 size = 0;
  CHECK(Tbsi_Get_TCG_Logs(0, nullptr, nullptr, 1, &size, 0) == TBS_E_INVALID_OUTPUT_POINTER);
}

TEST_CASE("types that Linux has not, and none at all") {
  LogBench bench("log");
  for (const UINT32 type : {TBS_TCGLOG_DRTM_CURRENT, TBS_TCGLOG_SRTM_RESUME, TBS_TCGLOG_DRTM_BOOT,
                            TBS_TCGLOG_DRTM_RESUME}) {
    CHECK(get(of_type(type), 100).result == TBS_E_NO_EVENT_LOG);
  }
  CHECK(get(of_type(6), 100).result == TBS_E_BAD_PARAMETER);
  CHECK(get(of_type(0xffffffff), 100).result == TBS_E_BAD_PARAMETER);
  UINT32 size = 4;
  CHECK(Tbsi_Get_TCG_Log_Ex(0, nullptr, &size) == TBS_E_INVALID_OUTPUT_POINTER);
  CHECK(Tbsi_Get_TCG_Log_Ex(0, nullptr, nullptr) == TBS_E_INVALID_OUTPUT_POINTER);
  TBS_HCONTEXT context = open_context();
  CHECK(Tbsi_Get_TCG_Log(context, nullptr, &size) == TBS_E_INVALID_OUTPUT_POINTER);
  CHECK(Tbsi_Get_TCG_Log(context, nullptr, nullptr) == TBS_E_INVALID_OUTPUT_POINTER);
  CHECK(Tbsip_Context_Close(context) == TBS_SUCCESS);
}

TEST_CASE("no log: nothing in the file, no file, no place for one") {
  LogBench bench("");
  CHECK(log_result() == TBS_E_NO_EVENT_LOG);
  std::filesystem::remove(bench.path());
  CHECK(log_result() == TBS_E_NO_EVENT_LOG);
  // It can come later: a driver may be loaded late.
  write_file(bench.path(), "log");
  CHECK(log_result() == TBS_SUCCESS);
  std::filesystem::remove(bench.path());
  std::filesystem::create_directory(bench.path());
  CHECK(log_result() == TBS_E_INTERNAL_ERROR);
  CHECK(bench.bench().daemon().log().contains("read the event log"));
}

TEST_CASE("a TPM in software has no firmware's log") {
  TestBench bench;
  Tbsx_Set_Socket(bench.socket().c_str());
  if (device_under_test() != DeviceKind::Kernel) CHECK(log_result() == TBS_E_NO_EVENT_LOG);
  Tbsx_Set_Socket(nullptr);
}

TEST_CASE("the log is the administrators', or everyone's where the configuration says so") {
  if (!can_become_nobody()) return;
  const std::string log = some_log(100000);
  {
    LogBench bench(log);
    CHECK(as_nobody([&] {
            Tbsx_Set_Socket(bench.bench().socket().c_str());
            return log_result() == TBS_E_ACCESS_DENIED ? 0 : 1;
          }) == 0);
  }
  LogBench bench(log, {"--log-readers=everyone"});
  CHECK(as_nobody([&] {
          Tbsx_Set_Socket(bench.bench().socket().c_str());
          return get(of_type(0), static_cast<UINT32>(log.size())).bytes == log ? 0 : 1;
        }) == 0);
}

TEST_CASE("a log that is being read keeps nobody waiting") {
  // A pipe that nobody writes to: opening it to read blocks the helper thread for good.
  TempFolder folder;
  const std::string pipe = folder / "log";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  TestBench bench({.arguments = {"--event-log=" + pipe}});
  RawClient reader = RawClient::observer(bench.socket());
  reader.send(5, tbs::proto::ReadLog{});
  CHECK(bench.status().device_state == tbs::proto::DeviceState::Ready);
  RawClient other = bench.context();
  CHECK_FALSE(reader.has_frame(std::chrono::milliseconds(0)));
  // A second question before the first was answered is against the protocol.
  reader.send(6, tbs::proto::ReadLog{});
  const auto refusal = reader.receive();
  REQUIRE(refusal);
  CHECK(refusal->type == tbs::proto::Type::Refusal);
}

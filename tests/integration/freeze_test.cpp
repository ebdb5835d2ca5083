// A key creation holds the TPM for as long as the test wants, on the kernel's own device where it
// is run in the guest. Nothing else may stand still: every step here is answered while that command
// is still on the TPM, which is checked after each of them. How long they took is printed.

#include <chrono>
#include <iostream>

#include <fcntl.h>
#include <unistd.h>

#include "tests/integration/support/notify_socket.h"
#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Cancel;
using tbs::proto::CancelReply;
using tbs::proto::Status;
using Clock = std::chrono::steady_clock;

namespace {

class Stopwatch {
 public:
  explicit Stopwatch(std::string what) : what_(std::move(what)) {}
  ~Stopwatch() {
    const auto took = std::chrono::duration<double, std::milli>(Clock::now() - start_);
    std::cout << "# " << what_ << ": " << took.count() << " ms" << std::endl;
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  std::string what_;
  Clock::time_point start_ = Clock::now();
};

// The transient objects in the TPM itself, asked past the daemon, which must have left it.
std::vector<std::uint32_t> objects_in_kernel_tpm() {
  const int device = ::open("/dev/tpm0", O_RDWR | O_CLOEXEC);
  REQUIRE(device >= 0);
  const tpm::Buffer command = tpm::get_handles(tpm::kTransientFirst);
  REQUIRE(::write(device, command.data(), command.size()) == static_cast<ssize_t>(command.size()));
  tpm::Buffer response(4096);
  const ssize_t size = ::read(device, response.data(), response.size());
  ::close(device);
  REQUIRE(size > 0);
  response.resize(static_cast<std::size_t>(size));
  return tpm::handles(response);
}

void check_running(TestBench& bench, const RawClient& client, std::uint32_t running) {
  const auto entry = bench.entry_of(client.context_id());
  REQUIRE(entry);
  CHECK(entry->running == running);
}

}  // namespace

TEST_CASE("nothing stands still while a key creation holds the TPM") {
  TempFolder folder;
  NotifySocket manager(folder);
  TestBench bench({.environment = {manager.environment(), "WATCHDOG_USEC=400000"}});
  RawClient creator = bench.context();
  RawClient neighbour = bench.context();
  bench.freeze_tpm();
  creator.submit(1, tpm::create_primary_rsa(2048));
  REQUIRE(bench.wait_for_load(creator, 0, 1));

  for (int i = 0; i < 3; ++i) {
    const Stopwatch watch("status request on an open connection");
    bench.status();
  }
  neighbour.submit(1, tpm::get_random(16));
  REQUIRE(bench.wait_for_load(neighbour, 1, 0));
  {
    const Stopwatch watch("cancel of a queued command");
    neighbour.send(2, Cancel{});
    CHECK(neighbour.receive_result().status == Status::CommandCanceled);
  }
  CHECK(neighbour.expect<CancelReply>(2).status == Status::Success);
  {
    const Stopwatch watch("a new client connects and is greeted");
    bench.context();
  }
  manager.forget();
  for (int i = 0; i < 3; ++i) CHECK(manager.hears("WATCHDOG=1"));
  check_running(bench, creator, 1);
  {
    const Stopwatch watch("cancel of the running command");
    creator.send(2, Cancel{});
    CHECK(creator.expect<CancelReply>(2).status == Status::Success);
    CHECK(creator.receive_result().status == Status::CommandCanceled);
  }
  // The embedded TPM gives the command up once it runs again; the others carry it to its end.
  check_running(bench, creator, 2);

  bench.thaw_tpm();
  CHECK(neighbour.call(tpm::get_random(16)).status == Status::Success);
  CHECK(creator.response(tpm::create_primary_ecc()).size() > 10);
  bench.wait_until_idle();
  CHECK(bench.stop_daemon() == 0);
  if (device_under_test() == DeviceKind::Kernel) CHECK(objects_in_kernel_tpm().empty());
}

// What goes wrong with the kernel's device: somebody else holds it, its driver goes away under load
// and comes back, the driver gives up a command of a TPM that hangs. Every command is answered, and
// the daemon gets over it by itself.

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using namespace std::chrono_literals;
using tbs::proto::Buffer;
using tbs::proto::DeviceState;
using tbs::proto::Role;
using tbs::proto::Status;

namespace {

namespace fs = std::filesystem;

constexpr int kMostAttempts = 5;

// The kernel gives a driver that is bound anew the next number where something of its own (IMA)
// still knows the TPM by the old one.
fs::path name_of_tpm() {
  return fs::directory_iterator("/sys/class/tpm")->path().filename();
}

std::string node() {
  return "/dev" / name_of_tpm();
}

int open_node() {
  return ::open(node().c_str(), O_RDWR | O_CLOEXEC);
}

// The driver of the guest's TPM, which can be taken away from it and given back.
class Driver {
 public:
  Driver() {
    const fs::path device = fs::canonical("/sys/class/tpm" / name_of_tpm() / "device");
    device_ = device.filename();
    driver_ = fs::canonical(device / "driver");
  }
  ~Driver() {
    if (!bound_) bind();
  }
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // Blocks for as long as a command runs.
  void unbind() {
    write("unbind");
    bound_ = false;
  }
  void bind() {
    write("bind");
    bound_ = true;
  }

 private:
  void write(const char* verb) const {
    std::ofstream file(driver_ / verb);
    file << device_ << std::flush;
    if (!file) throw std::runtime_error(std::string("the driver refuses to ") + verb);
  }

  std::string device_;
  fs::path driver_;
  bool bound_ = true;
};

std::uint32_t make_key(RawClient& client) {
  const Buffer response = client.response(tpm::create_primary_ecc());
  REQUIRE(tpm::code(response) == tpm::kSuccess);
  return tpm::handle(response);
}

bool works(RawClient& client) {
  return client.call(tpm::get_random(8)).status == Status::Success;
}

}  // namespace

TEST_CASE("nobody else opens the device while the daemon has it", "[2.0]") {
  TestBench bench({.device = "auto"});
  RawClient client = bench.context();
  CHECK(open_node() == -1);
  CHECK(errno == EBUSY);
  CHECK(works(client));
}

TEST_CASE("a device that another program holds is taken when that lets it go", "[2.0]") {
  const int holder = open_node();
  REQUIRE(holder >= 0);
  TempFolder folder;
  DaemonProcess daemon(folder, {.device = node()});
  daemon.wait_until_listening();
  CHECK(RawClient(daemon.socket()).hello(Role::Context).status == Status::ServiceStartPending);
  CHECK_THAT(daemon.log(), Catch::Matchers::ContainsSubstring("Device or resource busy"));
  CHECK_THAT(daemon.log(),
             Catch::Matchers::ContainsSubstring("(pid " + std::to_string(::getpid()) + ")"));
  ::close(holder);
  REQUIRE(eventually(
      [&] { return RawClient(daemon.socket()).hello(Role::Context).status == Status::Success; }));
  RawClient client = RawClient::context(daemon.socket());
  CHECK(works(client));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a driver that is unbound under load and bound again", "[2.0]") {
  TestBench bench({.device = "auto"});
  Driver driver;
  RawClient keeper = bench.context();
  const std::uint32_t key = make_key(keeper);
  const Buffer name = keeper.response(tpm::read_public(key));
  bench.wait_until_idle();

  std::vector<RawClient> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(bench.context());
  bench.freeze_tpm();
  clients.front().submit(1, tpm::create_primary_ecc());
  REQUIRE(bench.wait_for_load(clients.front(), 0, 1));
  for (std::uint64_t id = 2; id <= 6; ++id) {
    for (RawClient& client : clients) client.submit(id, tpm::get_random(8));
  }
  {
    const std::jthread unbinding([&] { driver.unbind(); });
    std::this_thread::sleep_for(200ms);
    bench.thaw_tpm();
  }
  // What was on the TPM may have ended well, as may what came before the driver was gone.
  int lost = 0;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    for (std::uint64_t id = i == 0 ? 1 : 2; id <= 6; ++id) {
      const Answer answer = clients[i].receive_result();
      CHECK((answer.status == Status::Success || answer.status == Status::IoError));
      lost += answer.status == Status::IoError ? 1 : 0;
    }
  }
  std::cout << "# " << lost << " of 26 commands lost with the driver" << std::endl;
  CHECK(lost > 0);
  REQUIRE(eventually([&] { return bench.status().device_state == DeviceState::Down; }));
  CHECK(keeper.call(tpm::get_random(8)).status == Status::IoError);

  driver.bind();
  REQUIRE(bench.wait_until_ready());
  for (RawClient& client : clients) {
    CHECK_FALSE(client.has_frame(0ms));
    CHECK(works(client));
  }
  CHECK(keeper.response(tpm::read_public(key)) == name);
  CHECK(tpm::code(keeper.response(tpm::flush_context(key))) == tpm::kSuccess);
}

TEST_CASE("a driver that is unbound while the daemon is idle", "[2.0]") {
  TestBench bench({.device = "auto"});
  Driver driver;
  RawClient client = bench.context();
  const std::uint32_t key = make_key(client);
  bench.wait_until_idle();
  driver.unbind();
  driver.bind();
  // The first command finds out. The TPM may have another number now.
  CHECK(client.call(tpm::get_random(8)).status == Status::IoError);
  CHECK(eventually([&] { return works(client); }));
  CHECK(tpm::code(client.response(tpm::read_public(key))) == tpm::kSuccess);
}

TEST_CASE("the kernel gives up a command of a TPM that hangs", "[2.0]") {
  TestBench bench({.device = "auto"});
  RawClient keeper = bench.context();
  const std::uint32_t key = make_key(keeper);
  RawClient client = bench.context();
  RawClient neighbour = bench.context();
  bench.wait_until_idle();
  // The host's time is not the guest's: where that is slow, the TPM is there again too early.
  bool given_up = false;
  for (int attempt = 0; attempt < kMostAttempts && !given_up; ++attempt) {
    guest_emulator("freeze 6000");
    client.submit(1, tpm::get_random(8));
    REQUIRE(bench.wait_for_load(client, 0, 1));
    neighbour.submit(1, tpm::get_random(8));
    given_up = client.receive_result().status == Status::IoError;
    // This one waits until the TPM answers again.
    CHECK(neighbour.receive_result().status == Status::Success);
  }
  CHECK(given_up);
  CHECK_THAT(bench.daemon().log(), Catch::Matchers::ContainsSubstring("Timer expired"));
  CHECK(works(client));
  CHECK(tpm::code(keeper.response(tpm::read_public(key))) == tpm::kSuccess);
}

TEST_CASE("what is only on the TPM is there after the kernel has given up a command", "[2.0]") {
  TestBench bench({.device = "auto", .arguments = {"--share", "exclusive"}});
  RawClient keeper = bench.context();
  const std::uint32_t key = make_key(keeper);
  const std::uint32_t sequence = tpm::handle(keeper.response(tpm::hash_sequence_start()));
  keeper.response(tpm::sequence_update(sequence, Buffer(3, 'a')));
  const std::uint32_t session =
      tpm::handle(keeper.response(tpm::start_auth_session(TPM2_SE_POLICY)));
  RawClient client = bench.context();
  bench.wait_until_idle();
  bool given_up = false;
  std::size_t made = 0;
  for (int attempt = 0; attempt < kMostAttempts && !given_up; ++attempt) {
    guest_emulator("freeze 6000");
    // What it makes stays in the TPM, and nobody hears of it.
    given_up = client.call(tpm::hash_sequence_start()).status == Status::IoError;
    if (!given_up) ++made;
  }
  CHECK(given_up);
  CHECK(works(client));
  CHECK(bench.status().reopened == 0);
  CHECK(tpm::handles(client.response(tpm::get_handles(tpm::kTransientFirst))).size() == made);
  CHECK(tpm::code(keeper.response(tpm::read_public(key))) == tpm::kSuccess);
  CHECK(tpm::code(keeper.response(tpm::policy_secret(TPM2_RH_OWNER, session, ""))) ==
        tpm::kSuccess);
  CHECK(tpm::sequence_result(keeper.response(tpm::sequence_complete(sequence))) ==
        tpm::sized_bytes(keeper.response(tpm::hash(Buffer(3, 'a')))));
}

// A real swtpm in socket mode, and servers that behave badly.

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include "daemon/device/swtpm_device.h"
#include "proto/limits.h"
#include "tests/integration/device/device_run.h"
#include "tests/integration/device/swtpm_process.h"
#include "tests/integration/device/temp_dir.h"
#include "tests/integration/device/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::test;
using namespace std::chrono_literals;
using device::SwtpmAddress;
using device::SwtpmDevice;

namespace {

struct Fixture {
  Fixture(SwtpmAddress data, SwtpmAddress control)
      : device(loop, "swtpm:test", std::move(data), std::move(control),
               [this](std::string notice) { notices.push_back(std::move(notice)); }),
        run(loop, device) {}

  device::Facts open() {
    const auto facts = run.open();
    if (!facts) FAIL(describe(facts.error()));
    return *facts;
  }

  void start() {
    open();
    REQUIRE(run.code(startup()) == kRcSuccess);
  }

  boost::asio::io_context loop;
  std::vector<std::string> notices;
  SwtpmDevice device;
  DeviceRun run;
};

// Is made before the device that lives in it.
struct Folder {
  TempDir folder;
};

// A swtpm on Unix sockets and the device for it.
struct UnixFixture : Folder, Fixture {
  explicit UnixFixture(std::vector<std::string> more_arguments = {})
      : Fixture({.path = folder.file("data")}, {.path = folder.file("control")}),
        more(std::move(more_arguments)) {
    launch();
  }

  void launch() {
    std::vector<std::string> arguments{"--server", "type=unixio,path=" + folder.file("data"),
                                       "--ctrl", "type=unixio,path=" + folder.file("control")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    ::unlink(folder.file("data").c_str());
    swtpm = std::make_unique<SwtpmProcess>(folder.path(), arguments, folder.file("data"));
  }

  std::vector<std::string> more;
  std::unique_ptr<SwtpmProcess> swtpm;
};

// A server on a Unix socket that says one thing to each of its first clients, then nothing to
// anybody; with no answer it does not even accept.
class RudeServer {
 public:
  RudeServer(const std::string& path, std::string answer, int answered_clients = 1)
      : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        answer_(std::move(answer)),
        left_(answered_clients) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 8) != 0) {
      throw std::runtime_error("bind " + path);
    }
    if (left_ > 0) thread_ = std::thread([this] { serve(); });
  }
  ~RudeServer() {
    ::shutdown(listener_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    for (const int client : clients_) ::close(client);
    ::close(listener_);
  }
  RudeServer(const RudeServer&) = delete;
  RudeServer& operator=(const RudeServer&) = delete;

 private:
  void serve() {
    while (left_-- > 0) {
      const int client = ::accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      clients_.push_back(client);
      if (::send(client, answer_.data(), answer_.size(), MSG_NOSIGNAL) < 0) return;
    }
  }

  int listener_;
  std::string answer_;
  int left_;
  std::vector<int> clients_;
  std::thread thread_;
};

proto::Buffer long_command() {
  return create_primary_rsa(2048);
}

}  // namespace

TEST_CASE("swtpm: an uninitialized one is powered on, and 200 commands in a row") {
  UnixFixture fixture;
  const device::Facts facts = fixture.open();
  CHECK(facts.family == Family::Tpm20);
  CHECK(facts.interface_type == 4);
  CHECK(facts.owns_power);
  REQUIRE(fixture.run.code(startup()) == kRcSuccess);
  for (std::uint16_t i = 0; i < 200; ++i) {
    const auto response = fixture.run.transmit(get_random(static_cast<std::uint16_t>(1 + i % 32)));
    REQUIRE(response.has_value());
    CHECK(response->size() == 12U + 1U + i % 32U);
  }
  CHECK(fixture.notices.empty());
}

TEST_CASE("swtpm: over TCP, by the name of the host") {
  const TempDir folder;
  const std::uint16_t port = free_port_pair();
  const auto control = static_cast<std::uint16_t>(port + 1);
  const SwtpmProcess swtpm(folder.path(),
                           {"--server", "type=tcp,port=" + std::to_string(port), "--ctrl",
                            "type=tcp,port=" + std::to_string(control)},
                           {}, port);
  Fixture fixture({.host = "localhost", .port = port}, {.host = "localhost", .port = control});
  fixture.start();
  CHECK(fixture.run.code(get_random(8)) == kRcSuccess);
  CHECK(fixture.run.code(create_primary_ecc()) == kRcSuccess);
  fixture.run.close();
}

TEST_CASE("swtpm: one that runs already is not reset") {
  UnixFixture fixture({"--flags", "startup-clear"});
  CHECK_FALSE(fixture.open().owns_power);
  const auto key = fixture.run.transmit(create_primary_ecc());
  REQUIRE(key.has_value());
  REQUIRE(response_code(*key) == kRcSuccess);
  fixture.run.close();
  CHECK_FALSE(fixture.open().owns_power);
  CHECK(fixture.run.code(read_public(response_handle(*key))) == kRcSuccess);
}

TEST_CASE("swtpm: the locality reaches the TPM") {
  UnixFixture fixture;
  fixture.start();
  CHECK(fixture.run.code(reset_pcr(20), 0) == kRcLocality);
  CHECK(fixture.run.code(reset_pcr(20), 2) == kRcSuccess);
  CHECK(fixture.run.code(reset_pcr(20), 0) == kRcLocality);
  const auto refused = fixture.run.transmit(get_random(8), 9);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().error == EINVAL);
  CHECK_FALSE(refused.error().reopen);
  CHECK(fixture.run.code(get_random(8)) == kRcSuccess);
}

TEST_CASE("swtpm: a cancel disturbs nothing") {
  UnixFixture fixture;
  fixture.start();
  fixture.device.cancel();
  for (int i = 0; i < 5; ++i) {
    fixture.run.begin(long_command());
    fixture.run.run_for(1ms);
    fixture.device.cancel();
    fixture.device.cancel();
    const auto response = fixture.run.finish();
    REQUIRE(response.has_value());
    fixture.device.cancel();
    if (response_code(*response) != kRcCanceled) {
      REQUIRE(response_code(*response) == kRcSuccess);
      REQUIRE(fixture.run.code(flush_context(response_handle(*response))) == kRcSuccess);
    }
    const auto next = fixture.run.transmit(create_primary_rsa(2048));
    REQUIRE(next.has_value());
    REQUIRE(response_code(*next) == kRcSuccess);
    REQUIRE(fixture.run.code(flush_context(response_handle(*next))) == kRcSuccess);
  }
  CHECK(fixture.notices.empty());
}

TEST_CASE("swtpm: killed during a command, then started again on its state") {
  UnixFixture fixture;
  fixture.start();
  const auto key = fixture.run.transmit(create_primary_ecc());
  REQUIRE(key.has_value());
  REQUIRE(fixture.run.code(evict_control(response_handle(*key), 0x81000001)) == kRcSuccess);
  const auto before = fixture.run.transmit(read_public(0x81000001));

  fixture.swtpm->send(SIGSTOP);
  fixture.run.begin(get_random(8));
  fixture.run.run_for(5ms);
  REQUIRE_FALSE(fixture.run.finished());
  const int responses = fixture.run.responses();
  fixture.swtpm->kill();
  const auto lost = fixture.run.finish();
  REQUIRE_FALSE(lost.has_value());
  CHECK(lost.error().reopen);
  REQUIRE_FALSE(fixture.run.transmit(get_random(8)).has_value());
  CHECK(fixture.run.responses() == responses + 2);

  fixture.run.close();
  const auto refused = fixture.run.open();
  REQUIRE_FALSE(refused.has_value());
  CHECK_FALSE(refused.error().advice.empty());
  fixture.run.close();
  fixture.launch();
  fixture.start();
  const auto after = fixture.run.transmit(read_public(0x81000001));
  REQUIRE(after.has_value());
  CHECK(after.value() == before.value());
}

TEST_CASE("swtpm: one that ended while idle is reported with the next command") {
  UnixFixture fixture;
  fixture.start();
  fixture.swtpm->kill();
  const auto response = fixture.run.transmit(get_random(8));
  REQUIRE_FALSE(response.has_value());
  CHECK(response.error().reopen);
}

TEST_CASE("swtpm: close while a command runs fails it first; the next open works") {
  UnixFixture fixture;
  fixture.start();
  fixture.run.begin(long_command());
  fixture.run.run_for(1ms);
  const bool ran = !fixture.run.finished();
  fixture.run.close();
  CHECK(fixture.run.finished());
  CHECK(fixture.run.finish().has_value() != ran);
  fixture.open();
  CHECK(fixture.run.code(get_random(8)) == kRcSuccess);
}

TEST_CASE("swtpm: close during open calls both handlers; destruction calls none") {
  bool called = false;
  UnixFixture fixture;
  std::string order;
  fixture.device.open([&](auto facts) { order += facts ? "opened" : "failed "; });
  fixture.run.run_for(1ms);
  fixture.device.close([&] { order += "closed"; });
  fixture.run.run_until([&] { return order.ends_with("closed"); });
  CHECK(order == "failed closed");
  {
    SwtpmDevice other(fixture.loop, "swtpm:other", {.path = fixture.folder.file("data")},
                      {.path = fixture.folder.file("control")}, [](const std::string&) {});
    other.open([&](auto) { called = true; });
  }
  fixture.run.run_for(20ms);
  CHECK_FALSE(called);
}

TEST_CASE("swtpm: a command that is too long is refused and disturbs nothing") {
  UnixFixture fixture;
  fixture.start();
  const auto response = fixture.run.transmit(proto::Buffer(proto::kMaxTpmMessage + 1, 0));
  REQUIRE_FALSE(response.has_value());
  CHECK(response.error().error == E2BIG);
  CHECK_FALSE(response.error().reopen);
  CHECK(fixture.run.code(get_random(8)) == kRcSuccess);
}

TEST_CASE("swtpm: without a control channel it works, with a notice") {
  const TempDir folder;
  const SwtpmProcess swtpm(
      folder.path(),
      {"--server", "type=unixio,path=" + folder.file("data"), "--flags", "startup-clear"},
      folder.file("data"));
  Fixture fixture({.path = folder.file("data")}, {.path = folder.file("none")});
  const device::Facts facts = fixture.open();
  CHECK_FALSE(facts.can_cancel);
  CHECK(fixture.notices.size() == 1);
  CHECK(fixture.run.code(get_random(8)) == kRcSuccess);
  const auto refused = fixture.run.transmit(get_random(8), 1);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().error == EOPNOTSUPP);
}

TEST_CASE("swtpm: a control channel that never answers holds up no data") {
  const TempDir folder;
  const SwtpmProcess swtpm(
      folder.path(),
      {"--server", "type=unixio,path=" + folder.file("data"), "--flags", "startup-clear"},
      folder.file("data"));
  const RudeServer silent(folder.file("control"), {}, 0);
  Fixture fixture({.path = folder.file("data")}, {.path = folder.file("control")});
  fixture.open();
  CHECK(fixture.notices.size() == 1);
  CHECK(fixture.run.code(get_random(8)) == kRcSuccess);
}

TEST_CASE("swtpm: a cancel that is never answered holds up the next command for a while only") {
  const TempDir folder;
  const SwtpmProcess swtpm(
      folder.path(),
      {"--server", "type=unixio,path=" + folder.file("data"), "--flags", "startup-clear"},
      folder.file("data"));
  // Offers to cancel, and nothing else, then falls silent.
  const RudeServer control(folder.file("control"), std::string("\0\0\0\0\0\0\0\x20", 8));
  Fixture fixture({.path = folder.file("data")}, {.path = folder.file("control")});
  CHECK(fixture.open().can_cancel);
  fixture.run.begin(long_command());
  fixture.device.cancel();
  REQUIRE(fixture.run.finish().has_value());
  CHECK(fixture.run.code(get_random(8)) == kRcSuccess);
  CHECK(fixture.notices.size() == 1);
}

TEST_CASE("swtpm: a response that makes no sense is a failure that needs a reopen") {
  const std::string announced =
      GENERATE(std::string("\x7f\xff\xff\xff", 4), std::string("\0\0\0\x09", 4));
  const TempDir folder;
  const RudeServer data(folder.file("data"),
                        std::string("\x80\x01", 2) + announced + std::string(4, '\0'));
  Fixture fixture({.path = folder.file("data")}, {.path = folder.file("none")});
  fixture.open();
  const auto response = fixture.run.transmit(get_random(8));
  REQUIRE_FALSE(response.has_value());
  CHECK(response.error().reopen);
  CHECK_THAT(response.error().operation,
             Catch::Matchers::ContainsSubstring("announces a response of"));
}

TEST_CASE("swtpm: nobody there is a failure with advice") {
  const TempDir folder;
  Fixture fixture({.path = folder.file("data")}, {.path = folder.file("control")});
  const auto facts = fixture.run.open();
  REQUIRE_FALSE(facts.has_value());
  CHECK(facts.error().error == ENOENT);
  CHECK_FALSE(facts.error().advice.empty());
  const auto response = fixture.run.transmit(get_random(8));
  REQUIRE_FALSE(response.has_value());
}

TEST_CASE("swtpm: a host that does not exist is a failure that names it") {
  Fixture fixture({.host = "no-such-host.invalid", .port = 9}, {.host = "127.0.0.1", .port = 9});
  const auto facts = fixture.run.open();
  REQUIRE_FALSE(facts.has_value());
  CHECK_THAT(facts.error().operation, Catch::Matchers::ContainsSubstring("no-such-host.invalid"));
}

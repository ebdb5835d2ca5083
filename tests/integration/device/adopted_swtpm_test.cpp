// A swtpm that one process leaves to the next: the real one, and a server that stops half-way.

#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include "daemon/device/swtpm_device.h"
#include "daemon/device/unkept_memory.h"
#include "tests/integration/device/device_run.h"
#include "tests/integration/device/swtpm_process.h"
#include "tests/integration/device/temp_dir.h"
#include "tests/integration/device/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::test;
using namespace std::chrono_literals;
using device::ResponseMemory;
using device::SwtpmDevice;

namespace {

// One process.
struct Process {
  Process(const TempDir& folder, device::UnkeptMemory& pages)
      : memory(pages.bytes()),
        device(loop, "swtpm:test", {.path = folder.file("data")}, {.path = folder.file("control")},
               [](const std::string&) {}),
        run(loop, device) {
    device.keep_in(&memory);
  }

  boost::asio::io_context loop;
  ResponseMemory memory;
  SwtpmDevice device;
  DeviceRun run;
};

// Processes in a row.
struct Fixture {
  Process& open() {
    process = std::make_unique<Process>(folder, pages);
    facts = process->run.open();
    if (!facts) FAIL(describe(facts.error()));
    return *process;
  }
  // The last one is killed, and the next one takes over what it had.
  Process& restart() {
    auto left = copies(process->device.kept());
    process = std::make_unique<Process>(folder, pages);
    facts = process->run.adopt(std::move(left));
    if (!facts) FAIL(describe(facts.error()));
    return *process;
  }

  TempDir folder;
  device::UnkeptMemory pages;
  std::unique_ptr<Process> process;
  std::expected<device::Facts, device::Failure> facts;
};

struct Swtpm : Fixture {
  Swtpm()
      : swtpm(folder.path(),
              {"--server", "type=unixio,path=" + folder.file("data"), "--ctrl",
               "type=unixio,path=" + folder.file("control")},
              folder.file("data")) {
    REQUIRE(open().run.code(startup()) == kRcSuccess);
  }

  SwtpmProcess swtpm;
};

// A server without a control channel, whose bytes the test sends.
struct Scripted : Fixture {
  Scripted() : listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    folder.file("data").copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener, 8) == 0);
    open();
    server = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    REQUIRE(server >= 0);
  }
  ~Scripted() {
    ::close(server);
    ::close(listener);
  }
  Scripted(const Scripted&) = delete;
  Scripted& operator=(const Scripted&) = delete;

  void say(proto::Bytes bytes) const {
    REQUIRE(::send(server, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  // What has come.
  [[nodiscard]] proto::Buffer heard() const {
    proto::Buffer bytes(8192);
    const ssize_t count = ::recv(server, bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return bytes;
  }

  int listener;
  int server = -1;
};

const proto::Buffer kResponse{0x80, 1, 0, 0, 0, 12, 0, 0, 0, 0, 5, 6};

}  // namespace

TEST_CASE_METHOD(Swtpm, "adopted swtpm: the facts are those of the one that was opened") {
  Process& second = restart();
  CHECK(facts->family == Family::Tpm20);
  CHECK(facts->owns_power);
  CHECK(facts->can_cancel);
  CHECK(facts->can_power_cycle);
  CHECK(facts->localities);
  second.memory.begin(1);
  CHECK(second.run.code(get_random(8)) == kRcSuccess);
  CHECK(second.device.kept().size() == 1);
}

TEST_CASE_METHOD(Swtpm, "adopted swtpm: a command that was not sent is sent") {
  process->memory.begin(1);
  Process& second = restart();
  second.run.resume(get_random(8));
  CHECK(response_code(*second.run.finish()) == kRcSuccess);
}

TEST_CASE_METHOD(Swtpm, "adopted swtpm: a key that is being made is made once") {
  process->memory.begin(1);
  process->run.begin(create_primary_rsa(2048));
  process->run.run_for(5ms);
  for (int i = 0; i < 3; ++i) restart();
  process->run.resume(create_primary_rsa(2048));
  const auto response = process->run.finish();
  REQUIRE(response.has_value());
  REQUIRE(response_code(*response) == kRcSuccess);
  CHECK(response_handle(*response) == 0x80000000);
  // Another successor gets the same answer from the memory.
  restart().run.resume(create_primary_rsa(2048));
  CHECK(*process->run.finish() == *response);
  process->memory.begin(2);
  CHECK(process->run.code(read_public(0x80000000)) == kRcSuccess);
  process->memory.begin(3);
  CHECK(process->run.code(read_public(0x80000001)) != kRcSuccess);
}

TEST_CASE_METHOD(Swtpm, "adopted swtpm: the locality is the one that was set") {
  process->memory.begin(1);
  REQUIRE(process->run.code(reset_pcr(20), 2) == kRcSuccess);
  Process& second = restart();
  second.memory.begin(2);
  CHECK(second.run.code(reset_pcr(20), 0) == kRcLocality);
}

TEST_CASE_METHOD(Swtpm, "adopted swtpm: a locality that may be set is set again") {
  process->memory.begin(1);
  REQUIRE(process->run.code(reset_pcr(20), 2) == kRcSuccess);
  // As if killed right before that was noted.
  process->memory.device<device::SwtpmRecord>().locality = 1;
  process->memory.device<device::SwtpmRecord>().locality_due = 1;
  Process& second = restart();
  second.memory.begin(2);
  CHECK(second.run.code(reset_pcr(20), 0) == kRcLocality);
}

TEST_CASE_METHOD(Swtpm, "adopted swtpm: a cancel that may be on its way holds back what follows") {
  process->memory.device<device::SwtpmRecord>().cancelling = 1;
  process->memory.begin(1);
  Process& second = restart();
  second.run.resume(get_random(8));
  CHECK(response_code(*second.run.finish()) == kRcSuccess);
  CHECK(second.memory.device<device::SwtpmRecord>().cancelling == 0);
}

TEST_CASE_METHOD(Scripted, "adopted swtpm: half a command, half a response") {
  process->memory.begin(1);
  const proto::Buffer command = get_random(8);
  const int socket = process->device.kept().front().descriptor;
  REQUIRE(process->memory.command().sent.send(socket, proto::Bytes(command).first(5)) == true);
  Process& second = restart();
  second.run.resume(command);
  second.run.run_for(20ms);
  CHECK(heard() == command);
  const bool header = GENERATE(false, true);
  const std::size_t half = header ? 11 : 4;
  say(proto::Bytes(kResponse).first(half));
  second.run.run_for(20ms);
  CHECK_FALSE(second.run.finished());
  CHECK(second.memory.command().received.moved() == half);
  Process& third = restart();
  third.run.resume(command);
  third.run.run_for(20ms);
  CHECK_FALSE(third.run.finished());
  say(proto::Bytes(kResponse).subspan(half));
  CHECK(third.run.finish() == kResponse);
  CHECK(heard().empty());
}

TEST_CASE_METHOD(Scripted, "adopted swtpm: a response that nobody has received yet") {
  process->memory.begin(1);
  process->run.begin(get_random(8));
  CHECK(heard() == get_random(8));
  say(kResponse);
  restart().run.resume(get_random(8));
  CHECK(process->run.finish() == kResponse);
  CHECK(heard().empty());
}

TEST_CASE_METHOD(Scripted, "adopted swtpm: a command that nobody resumes costs the connection") {
  process->memory.begin(1);
  process->run.begin(get_random(8));
  CHECK(heard() == get_random(8));
  Process& second = restart();
  second.memory.begin(2);
  const auto response = second.run.transmit(get_random(9));
  REQUIRE_FALSE(response);
  CHECK(response.error().reopen);
  CHECK(second.device.kept().empty());
  second.run.close();
  REQUIRE(second.run.open());
  second.memory.begin(3);
  second.run.begin(get_random(9));
  CHECK(heard().empty());
}

TEST_CASE_METHOD(Scripted, "adopted swtpm: what makes no sense is refused, and closed") {
  Process other(folder, pages);
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const auto adopted = other.run.adopt(
      {{.name = "data", .descriptor = ends[0]}, {.name = "more", .descriptor = ends[1]}});
  REQUIRE_FALSE(adopted);
  CHECK(describe(adopted.error()).find("none") != std::string::npos);
  CHECK(::fcntl(ends[0], F_GETFD) < 0);
  CHECK(::fcntl(ends[1], F_GETFD) < 0);
  CHECK_FALSE(other.run.adopt({}));

  device::UnkeptMemory empty;
  Process unknown(folder, empty);
  CHECK_FALSE(unknown.run.adopt(copies(process->device.kept())));
  REQUIRE(unknown.run.open());
}

TEST_CASE_METHOD(Swtpm, "adopted swtpm: closed, it is free, whoever still has the connection") {
  const auto left = copies(process->device.kept());
  process->run.close();
  open().memory.begin(1);
  REQUIRE(process->run.code(get_random(8)) == kRcSuccess);
  for (const auto& one : left) ::close(one.descriptor);
}

// What an embedded TPM keeps over a stop of the daemon (embedded-keep-state), with its real child
// process.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "daemon/device/embedded_device.h"
#include "tests/integration/device/device_run.h"
#include "tests/integration/device/temp_dir.h"
#include "tests/integration/device/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::test;
using namespace std::chrono_literals;
using device::EmbeddedDevice;

namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kPcr = 16;

struct Daemon {
  explicit Daemon(const std::string& folder, bool keeps = true, Family family = Family::Tpm20)
      : device(loop, {.state_dir = folder,
                      .family = family,
                      .keep_state = keeps,
                      .program = std::getenv("TBS_EMBEDDED_TPM")}),
        run(loop, device) {
    const auto facts = run.open();
    if (!facts) FAIL(describe(facts.error()));
  }
  void stop() {
    device.keep_state();
    run.close();
  }

  boost::asio::io_context loop;
  EmbeddedDevice device;
  DeviceRun run;
};

struct Fixture {
  Fixture() { REQUIRE(std::getenv("TBS_EMBEDDED_TPM") != nullptr); }

  proto::Buffer pcr(Daemon& daemon) {
    const auto read = daemon.run.transmit(test::tpm::pcr_read(kPcr));
    REQUIRE(read.has_value());
    return test::tpm::pcr_value(*read);
  }
  [[nodiscard]] bool saved() const { return fs::exists(file); }

  TempDir dir;
  std::string folder = dir.file("state");
  std::string file = folder + "/tpm20.volatilestate";
};

}  // namespace

TEST_CASE_METHOD(Fixture, "kept state: objects and PCRs go on, once") {
  Daemon first(folder);
  REQUIRE(first.run.code(startup()) == kRcSuccess);
  const proto::Buffer before = pcr(first);
  REQUIRE(first.run.code(test::tpm::pcr_extend(kPcr, proto::Buffer(32, 7))) == kRcSuccess);
  const proto::Buffer extended = pcr(first);
  REQUIRE(extended != before);
  const auto key = first.run.transmit(create_primary_ecc());
  REQUIRE(key.has_value());
  const auto context = first.run.transmit(tbs::tpm::build::context_save(response_handle(*key)));
  REQUIRE(context.has_value());
  REQUIRE(response_code(*context) == kRcSuccess);
  first.stop();
  CHECK(saved());

  Daemon second(folder);
  // Used: a power cut from now on does not bring it back.
  CHECK_FALSE(saved());
  CHECK(second.run.code(startup()) == kRcInitialize);
  CHECK(pcr(second) == extended);
  CHECK(second.run.code(read_public(response_handle(*key))) == kRcSuccess);
  const proto::Buffer load = tbs::tpm::build::context_load(proto::Bytes(*context).subspan(10));
  CHECK(second.run.code(load) == kRcSuccess);
  second.run.close();
  CHECK_FALSE(saved());

  Daemon third(folder);
  CHECK(third.run.code(get_random(8)) == kRcInitialize);
  CHECK(third.run.code(startup()) == kRcSuccess);
  CHECK(pcr(third) == before);
  CHECK(third.run.code(load) != kRcSuccess);
}

TEST_CASE_METHOD(Fixture, "kept state: nothing is kept unless it is configured") {
  {
    Daemon first(folder, false);
    REQUIRE(first.run.code(startup()) == kRcSuccess);
    first.stop();
    CHECK_FALSE(saved());
  }
  {
    Daemon second(folder);
    REQUIRE(second.run.code(startup()) == kRcSuccess);
    second.stop();
    CHECK(saved());
  }
  Daemon third(folder, false);
  CHECK_FALSE(saved());
  CHECK(third.run.code(startup()) == kRcSuccess);
}

TEST_CASE_METHOD(Fixture, "kept state: what makes no sense is a start without it") {
  {
    Daemon first(folder);
    REQUIRE(first.run.code(startup()) == kRcSuccess);
    first.stop();
  }
  const auto size = fs::file_size(file);
  SECTION("not a state") {
    std::ofstream(file, std::ios::trunc) << "not a state";
  }
  SECTION("empty") {
    fs::resize_file(file, 0);
  }
  SECTION("half of one") {
    fs::resize_file(file, size / 2);
  }
  Daemon second(folder);
  CHECK_FALSE(saved());
  CHECK(second.run.code(startup()) == kRcSuccess);
  CHECK(second.run.code(get_random(8)) == kRcSuccess);
}

TEST_CASE_METHOD(Fixture, "kept state: not of a TPM that is at work") {
  Daemon first(folder);
  REQUIRE(first.run.code(startup()) == kRcSuccess);
  first.run.begin(create_primary_rsa(2048));
  first.device.keep_state();
  bool closed = false;
  first.device.close([&] { closed = true; });
  first.run.run_until([&] { return closed; });
  CHECK_FALSE(saved());
}

TEST_CASE_METHOD(Fixture, "kept state: a TPM 1.2, too") {
  const proto::Buffer startup_clear{0, 0xC1, 0, 0, 0, 12, 0, 0, 0, 0x99, 0, 1};
  const proto::Buffer extend = [] {
    proto::Buffer command{0, 0xC1, 0, 0, 0, 34, 0, 0, 0, 0x14, 0, 0, 0, kPcr};
    command.resize(34, 7);
    return command;
  }();
  const proto::Buffer read{0, 0xC1, 0, 0, 0, 14, 0, 0, 0, 0x15, 0, 0, 0, kPcr};
  Daemon first(folder, true, Family::Tpm12);
  REQUIRE(first.run.code(startup_clear) == 0);
  REQUIRE(first.run.code(extend) == 0);
  const auto extended = first.run.transmit(read);
  REQUIRE(extended.has_value());
  first.stop();
  Daemon second(folder, true, Family::Tpm12);
  CHECK(*second.run.transmit(read) == *extended);
}

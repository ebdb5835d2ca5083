// On a system bus of the test's own, with somebody on it who knows the unit's job as systemd does.

#include "daemon/host/stop_reason.h"

#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "tests/integration/support/system_bus.h"
#include "tests/support/catch2.h"

using namespace tbs;
using host::StopReason;

namespace {

constexpr const char* kUnitPath = "/org/freedesktop/systemd1/unit/tbsd_40tpm1_2eservice";
constexpr const char* kJobPath = "/org/freedesktop/systemd1/job/4711";

void check(int result) {
  if (result < 0) throw std::runtime_error("fake systemd: " + std::to_string(result));
}

// Serves its calls on the test's own thread.
class FakeSystemd {
 public:
  // Without a job, or with one of this type.
  FakeSystemd(const test::SystemBus& bus, std::string job) : job_(std::move(job)) {
    check(sd_bus_new(&bus_));
    check(sd_bus_set_address(bus_, bus.address().c_str()));
    check(sd_bus_set_bus_client(bus_, 1));
    check(sd_bus_start(bus_));
    static const sd_bus_vtable kUnit[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Job", "(uo)", on_job, 0, 0),
        SD_BUS_VTABLE_END,
    };
    static const sd_bus_vtable kJob[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("JobType", "s", on_type, 0, 0),
        SD_BUS_VTABLE_END,
    };
    check(sd_bus_add_object_vtable(bus_, nullptr, kUnitPath, "org.freedesktop.systemd1.Unit", kUnit,
                                   this));
    check(sd_bus_add_object_vtable(bus_, nullptr, kJobPath, "org.freedesktop.systemd1.Job", kJob,
                                   this));
    check(sd_bus_request_name(bus_, "org.freedesktop.systemd1", 0));
  }
  ~FakeSystemd() { sd_bus_close_unref(bus_); }
  FakeSystemd(const FakeSystemd&) = delete;
  FakeSystemd& operator=(const FakeSystemd&) = delete;

  void serve() {
    while (sd_bus_process(bus_, nullptr) > 0) {
    }
  }

 private:
  static int on_job(sd_bus* /*bus*/, const char* /*path*/, const char* /*interface*/,
                    const char* /*property*/, sd_bus_message* reply, void* self,
                    sd_bus_error* /*error*/) {
    const bool none = static_cast<FakeSystemd*>(self)->job_.empty();
    return sd_bus_message_append(reply, "(uo)", none ? 0U : 4711U, none ? "/" : kJobPath);
  }
  static int on_type(sd_bus* /*bus*/, const char* /*path*/, const char* /*interface*/,
                     const char* /*property*/, sd_bus_message* reply, void* self,
                     sd_bus_error* /*error*/) {
    return sd_bus_message_append(reply, "s", static_cast<FakeSystemd*>(self)->job_.c_str());
  }

  std::string job_;
  sd_bus* bus_ = nullptr;
};

struct Fixture {
  Fixture() { ::setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address().c_str(), 1); }
  ~Fixture() { ::unsetenv("DBUS_SYSTEM_BUS_ADDRESS"); }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  // Whether it is a restart; the systemd may be null.
  bool asked(const std::string& unit, FakeSystemd* systemd) {
    StopReason reason(loop, unit);
    int answers = 0;
    bool answer = false;
    bool within = true;
    reason.ask([&](bool restart) {
      CHECK_FALSE(within);
      ++answers;
      answer = restart;
    });
    within = false;
    CHECK(test::eventually([&] {
      if (systemd != nullptr) systemd->serve();
      loop.restart();
      loop.poll();
      return answers > 0;
    }));
    loop.restart();
    loop.run();
    CHECK(answers == 1);
    return answer;
  }

  test::TempFolder folder;
  test::SystemBus bus{folder};
  boost::asio::io_context loop;
};

constexpr const char* kUnit = "tbsd@tpm1.service";

}  // namespace

TEST_CASE_METHOD(Fixture, "a job of the service manager is a restart or a stop", "[host][stop]") {
  const auto [job, restart] = GENERATE(table<std::string, bool>(
      {{"restart", true}, {"stop", false}, {"start", false}, {"", false}}));
  INFO(job);
  FakeSystemd systemd(bus, job);
  CHECK(asked(kUnit, &systemd) == restart);
}

TEST_CASE_METHOD(Fixture, "who cannot be asked says stop", "[host][stop]") {
  // Nobody of that name; a unit that it does not know; no unit; no bus.
  CHECK_FALSE(asked(kUnit, nullptr));
  {
    FakeSystemd systemd(bus, "restart");
    CHECK_FALSE(asked("another.service", &systemd));
    CHECK_FALSE(asked("", &systemd));
  }
  bus.stop();
  CHECK_FALSE(asked(kUnit, nullptr));
}

TEST_CASE_METHOD(Fixture, "who does not answer says stop", "[host][stop]") {
  // It never serves.
  const FakeSystemd systemd(bus, "restart");
  CHECK_FALSE(asked(kUnit, nullptr));
}

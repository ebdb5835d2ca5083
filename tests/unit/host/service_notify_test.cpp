#include "daemon/host/service_notify.h"

#include <cstdlib>
#include <thread>

#include <unistd.h>

#include "tests/integration/support/notify_socket.h"
#include "tests/support/catch2.h"

using namespace tbs;
using host::ServiceNotify;

namespace {

class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

struct Fixture {
  test::TempFolder folder;
  test::NotifySocket manager{folder};
  Variable socket{"NOTIFY_SOCKET", manager.environment().substr(sizeof("NOTIFY_SOCKET"))};
  boost::asio::io_context loop;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "the service manager is told what the daemon does", "[host][notify]") {
  ServiceNotify notify(loop);
  notify.ready("TPM /dev/tpm0 is ready");
  CHECK(manager.hears("STATUS=TPM /dev/tpm0 is ready"));
  notify.ready("again");
  CHECK(manager.hears("READY=1"));
  notify.status("TPM /dev/tpm0 is not available");
  CHECK(manager.hears("STATUS=TPM /dev/tpm0 is not available"));
  notify.reloading();
  CHECK(manager.hears("RELOADING=1"));
  notify.stopping();
  CHECK(manager.hears("STOPPING=1"));
}

TEST_CASE_METHOD(Fixture, "a service manager that does not read keeps nobody waiting",
                 "[host][notify]") {
  ServiceNotify notify(loop);
  notify.ready("first");
  for (int state = 0; state < 2000; ++state) notify.status(std::to_string(state));
  notify.stopping();
  // Now it reads, and hears the last of each.
  std::thread other([this] { loop.run(); });
  CHECK(manager.hears("STATUS=first"));
  CHECK(manager.hears("STATUS=1999"));
  CHECK(manager.hears("STOPPING=1"));
  other.join();
}

TEST_CASE_METHOD(Fixture, "the watchdog is fed from the start where one is wanted",
                 "[host][notify]") {
  const Variable interval("WATCHDOG_USEC", "60000000");
  const Variable process("WATCHDOG_PID", std::to_string(::getpid()));
  const ServiceNotify notify(loop);
  CHECK(manager.hears("WATCHDOG=1"));
}

TEST_CASE_METHOD(Fixture, "a watchdog of another process is not fed", "[host][notify]") {
  const Variable interval("WATCHDOG_USEC", "60000000");
  const Variable process("WATCHDOG_PID", "1");
  ServiceNotify notify(loop);
  // The loop has nothing to wait for, and this is the first thing that comes.
  loop.run();
  notify.status("first");
  manager.forget();
  CHECK_FALSE(manager.hears("WATCHDOG=1", std::chrono::milliseconds(0)));
}

TEST_CASE("without a service manager nothing happens", "[host][notify]") {
  ::unsetenv("NOTIFY_SOCKET");
  boost::asio::io_context loop;
  ServiceNotify notify(loop);
  notify.ready("ready");
  notify.reloading();
  notify.stopping();
  loop.run();
}

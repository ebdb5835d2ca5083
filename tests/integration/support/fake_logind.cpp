#include "tests/integration/support/fake_logind.h"

#include <array>
#include <stdexcept>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace tbs::test {
namespace {

constexpr const char* kPath = "/org/freedesktop/login1";
constexpr const char* kManager = "org.freedesktop.login1.Manager";
constexpr std::chrono::milliseconds kTurn{5};

void check(int result, const char* what) {
  if (result < 0) throw std::runtime_error(std::string("fake logind: ") + what);
}

}  // namespace

FakeLogind::FakeLogind(const SystemBus& bus) {
  check(sd_bus_new(&bus_), "new");
  check(sd_bus_set_address(bus_, bus.address().c_str()), "address");
  check(sd_bus_set_bus_client(bus_, 1), "client");
  check(sd_bus_start(bus_), "start");
  static const sd_bus_vtable kTable[] = {
      SD_BUS_VTABLE_START(0),
      SD_BUS_METHOD("Inhibit", "ssss", "h", on_inhibit, SD_BUS_VTABLE_UNPRIVILEGED),
      SD_BUS_SIGNAL("PrepareForSleep", "b", 0),
      SD_BUS_VTABLE_END,
  };
  check(sd_bus_add_object_vtable(bus_, nullptr, kPath, kManager, kTable, this), "object");
  check(sd_bus_request_name(bus_, "org.freedesktop.login1", 0), "name");
  thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
}

FakeLogind::~FakeLogind() {
  thread_.request_stop();
  thread_.join();
  for (const int end : held_) ::close(end);
  sd_bus_close_unref(bus_);
}

void FakeLogind::serve(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      const std::lock_guard lock(mutex_);
      while (sd_bus_process(bus_, nullptr) > 0) {
      }
    }
    std::this_thread::sleep_for(kTurn);
  }
}

void FakeLogind::prepare_for_sleep(bool sleeping) {
  const std::lock_guard lock(mutex_);
  check(sd_bus_emit_signal(bus_, kPath, kManager, "PrepareForSleep", "b", sleeping ? 1 : 0),
        "signal");
  check(sd_bus_flush(bus_), "flush");
}

int FakeLogind::on_inhibit(sd_bus_message* call, void* self, sd_bus_error* /*error*/) {
  return static_cast<FakeLogind*>(self)->inhibit(call);
}

// A pipe, as logind does it: the inhibitor is held for as long as the other end is open.
int FakeLogind::inhibit(sd_bus_message* call) {
  const char* what = nullptr;
  const char* who = nullptr;
  const char* why = nullptr;
  const char* mode = nullptr;
  check(sd_bus_message_read(call, "ssss", &what, &who, &why, &mode), "arguments");
  if (std::string_view(what) != "sleep" || std::string_view(mode) != "delay") return -EINVAL;
  std::array<int, 2> ends{};
  check(::pipe2(ends.data(), O_CLOEXEC), "pipe");
  const int sent = sd_bus_reply_method_return(call, "h", ends[1]);
  ::close(ends[1]);
  held_.push_back(ends[0]);
  return sent;
}

int FakeLogind::inhibitors() {
  const std::lock_guard lock(mutex_);
  std::erase_if(held_, [](int end) {
    pollfd entry{.fd = end, .events = POLLIN, .revents = 0};
    const bool let_go = ::poll(&entry, 1, 0) == 1 && (entry.revents & POLLHUP) != 0;
    if (let_go) ::close(end);
    return let_go;
  });
  return static_cast<int>(held_.size());
}

}  // namespace tbs::test

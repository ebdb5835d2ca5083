#include "daemon/host/sleep_watch.h"

#include <algorithm>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <spdlog/spdlog.h>

namespace tbs::host {
namespace {

constexpr const char* kLogind = "org.freedesktop.login1";
constexpr const char* kPath = "/org/freedesktop/login1";
constexpr const char* kManager = "org.freedesktop.login1.Manager";

constexpr std::chrono::milliseconds kFirstBusPause{500};
// A daemon that idles does not wake up for it. Where there is a bus at all, it comes up within
// seconds.
constexpr std::chrono::milliseconds kLongestBusPause = std::chrono::hours(1);

}  // namespace

SleepWatch::SleepWatch(boost::asio::io_context& io)
    : bus_(io), timer_(io), pause_(kFirstBusPause) {}

SleepWatch::~SleepWatch() {
  stop();
}

void SleepWatch::start(Events events) {
  events_ = std::move(events);
  connect();
}

void SleepWatch::stop() {
  events_ = {};
  sleeping_ = false;
  ++round_;
  timer_.cancel();
  bus_.close();
  release();
}

void SleepWatch::connect() {
  if (!bus_.open()) return retry();
  if (!subscribe() || inhibit() < 0) bus_.give_up();
  bus_.drive([this] { disconnected(); });
}

bool SleepWatch::subscribe() {
  return sd_bus_match_signal_async(bus_.bus(), nullptr, kLogind, kPath, kManager, "PrepareForSleep",
                                   on_signal, nullptr, this) >= 0;
}

void SleepWatch::retry() {
  timer_.expires_after(pause_);
  pause_ = std::min(pause_ * 2, kLongestBusPause);
  timer_.async_wait([this, round = ++round_](const boost::system::error_code& stopped) {
    if (!stopped && round == round_) connect();
  });
}

void SleepWatch::disconnected() {
  release();
  // Without logind nobody would say that the machine is awake again.
  if (std::exchange(sleeping_, false) && events_.woken) events_.woken();
  if (events_.prepare) retry();
}

int SleepWatch::inhibit() {
  return sd_bus_call_method_async(bus_.bus(), nullptr, kLogind, kPath, kManager, "Inhibit",
                                  on_inhibited, this, "ssss", "sleep", "tbsd",
                                  "Emptying the TPM, which loses its memory", "delay");
}

int SleepWatch::on_inhibited(sd_bus_message* reply, void* self, sd_bus_error* /*error*/) {
  static_cast<SleepWatch*>(self)->take_inhibitor(reply);
  return 0;
}

void SleepWatch::take_inhibitor(sd_bus_message* reply) {
  int descriptor = -1;
  if (sd_bus_message_is_method_error(reply, nullptr) != 0 ||
      sd_bus_message_read(reply, "h", &descriptor) < 0) {
    const sd_bus_error* const error = sd_bus_message_get_error(reply);
    spdlog::debug("no delay inhibitor from logind: {}",
                  error != nullptr && error->message != nullptr ? error->message : "no reason");
    bus_.give_up();
    return;
  }
  pause_ = kFirstBusPause;
  release();
  // The message closes its own.
  inhibitor_ = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
  spdlog::debug("logind lets the machine sleep only after the TPM was emptied");
}

int SleepWatch::on_signal(sd_bus_message* message, void* self, sd_bus_error* /*error*/) {
  int sleeping = 0;
  if (sd_bus_message_read(message, "b", &sleeping) >= 0) {
    static_cast<SleepWatch*>(self)->hear(sleeping != 0);
  }
  return 0;
}

void SleepWatch::hear(bool sleeping) {
  sleeping_ = sleeping;
  if (sleeping) {
    if (events_.prepare) events_.prepare();
    return;
  }
  if (inhibitor_ < 0 && inhibit() < 0) bus_.give_up();
  if (events_.woken) events_.woken();
}

void SleepWatch::release() {
  if (inhibitor_ >= 0) ::close(std::exchange(inhibitor_, -1));
}

}  // namespace tbs::host

// The bound itself is base/log_limit; here: that topics, events and users have each their own.

#include "daemon/host/limited_log.h"

#include <memory>
#include <sstream>

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include "tests/support/catch2.h"

using namespace tbs::host;
using tbs::proto::Event;

namespace {

// The bound is the process's: each test takes users of its own.
std::uint32_t fresh_user() {
  static std::uint32_t last = 70'000;
  return ++last;
}

// Asks until nothing more passes; how many did.
template <typename Kind>
int exhaust(Kind kind, std::uint32_t user) {
  int passed = 0;
  for (int i = 0; i < 100; ++i) passed += bounded(kind, user, "text") ? 1 : 0;
  return passed;
}

// Where the log goes while a test looks at it.
class Captured {
 public:
  Captured() : before_(spdlog::default_logger()) {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_st>(text_);
    auto logger = std::make_shared<spdlog::logger>("test", std::move(sink));
    logger->set_pattern("%l: %v");
    logger->set_level(spdlog::level::info);
    spdlog::set_default_logger(std::move(logger));
  }
  ~Captured() { spdlog::set_default_logger(before_); }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
  [[nodiscard]] std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> before_;
};

}  // namespace

TEST_CASE("a user's lines about one topic are bounded", "[host][log]") {
  const std::uint32_t user = fresh_user();
  CHECK(bounded(Topic::Firmware, user, "the firmware's file") == "the firmware's file");
  const int passed = exhaust(Topic::Firmware, user);
  CHECK(passed < 20);
  CHECK_FALSE(bounded(Topic::Firmware, user, "text").has_value());
}

TEST_CASE("other users, topics and events have bounds of their own", "[host][log]") {
  const std::uint32_t user = fresh_user();
  exhaust(Topic::Firmware, user);
  CHECK(bounded(Topic::Firmware, fresh_user(), "text").has_value());
  CHECK(bounded(Topic::StateFile, user, "text").has_value());
  CHECK(bounded(Event::Blocked, user, "text").has_value());
  // The first topic and the first event have the same number.
  exhaust(static_cast<Topic>(0), user);
  CHECK(bounded(static_cast<Event>(0), user, "text").has_value());
}

TEST_CASE("a limited line is written at its level, and only where that is logged", "[host][log]") {
  const Captured log;
  const std::uint32_t user = fresh_user();
  log_limited(spdlog::level::warn, Topic::DeviceNotice, "look here", user);
  CHECK(log.text() == "warning: look here\n");
  // What is not logged does not use up the bound.
  for (int i = 0; i < 100; ++i) {
    log_limited(spdlog::level::debug, Topic::HandleLost, "detail", user);
  }
  CHECK(log.text() == "warning: look here\n");
  CHECK(bounded(Topic::HandleLost, user, "text").has_value());
}

TEST_CASE("a text is written as it is, whatever stands in it", "[host][log]") {
  const Captured log;
  log_limited(spdlog::level::err, Topic::DeviceFailure, "{} {0:x} %s", fresh_user());
  CHECK(log.text() == "error: {} {0:x} %s\n");
}

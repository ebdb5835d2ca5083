#pragma once

// The real machine, loop and log, for the server.

#include <cstdint>
#include <functional>
#include <span>

#include <boost/asio/io_context.hpp>

#include "daemon/loop/deferred.h"
#include "daemon/server/audit_log.h"
#include "daemon/server/environment.h"
#include "daemon/server/event_history.h"
#include "daemon/server/refusal_counts.h"

namespace tbs::server {

class SystemEnvironment : public Environment {
 public:
  explicit SystemEnvironment(boost::asio::io_context& io) : deferred_(io) {}

  [[nodiscard]] TimePoint now() const override;
  [[nodiscard]] bool memory_is_short() override;
  [[nodiscard]] bool fill_random(std::span<std::uint8_t> room) override;
  void post(std::move_only_function<void()> work) override;

 private:
  loop::Deferred deferred_;
};

// What is logged is added to the history, too.
class SystemAuditLog : public AuditLog {
 public:
  // It must outlive this.
  explicit SystemAuditLog(EventHistory& history) : history_(history) {}
  void write(spdlog::level::level_enum level, proto::Event event, const host::AuditFields& fields,
             const std::string& text) override;
  // How often each came, those included that were too many for a line.
  [[nodiscard]] const EventCounts& counts() const { return counts_; }

 private:
  EventCounts counts_{};
  EventHistory& history_;
};

}  // namespace tbs::server

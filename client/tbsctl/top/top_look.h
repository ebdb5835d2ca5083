#pragma once

// Looks at the daemon again and again, also over its restarts: connects when there is no
// connection, and keeps the sample before the last one for rates.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "client/tbsctl/command_line/subcommand.h"
#include "client/tbsctl/connection/stream.h"
#include "client/tbsctl/text/user_names.h"
#include "client/tbsctl/top/top_sample.h"

namespace tbs::ctl {

class TopLook {
 public:
  using Connector =
      std::function<std::expected<std::unique_ptr<Stream>, Failure>(client::Deadline deadline)>;

  // Looks that come in less than half of the interval do not begin a new one.
  TopLook(Connector connect, std::chrono::milliseconds interval)
      : connect_(std::move(connect)), interval_(interval) {}

  // Fails when the daemon cannot be asked; then there is no sample.
  Outcome look();
  // What one context holds, in lines for people; or why that cannot be told.
  std::vector<std::string> holdings(std::uint64_t context);
  Outcome cancel(std::uint64_t context);

  [[nodiscard]] const TopSample* sample() const { return now_ ? &*now_ : nullptr; }
  [[nodiscard]] const TopSample* before() const { return before_ ? &*before_ : nullptr; }
  [[nodiscard]] UserNames& users() { return users_; }

 private:
  std::expected<Conversation*, Failure> daemon(client::Deadline deadline);
  std::expected<TopSample, Failure> ask(client::Deadline deadline);

  Connector connect_;
  std::chrono::milliseconds interval_;
  std::optional<Conversation> daemon_;
  std::optional<TopSample> now_;
  std::optional<TopSample> before_;
  UserNames users_;
};

}  // namespace tbs::ctl

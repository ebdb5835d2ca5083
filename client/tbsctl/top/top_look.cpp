#include "client/tbsctl/top/top_look.h"

#include <sstream>
#include <utility>

#include "client/tbsctl/contexts/commands.h"
#include "client/tbsctl/contexts/context_holdings.h"
#include "client/tbsctl/contexts/tenants.h"
#include "client/tbsctl/top/top_rows.h"

namespace tbs::ctl {
namespace {

// A daemon that lives answers long before; keys wait no longer for one that stands still.
constexpr std::chrono::seconds kTopPatience{5};

client::Deadline top_deadline() {
  return client::Clock::now() + kTopPatience;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(std::move(line));
  return lines;
}

}  // namespace

std::expected<Conversation*, Failure> TopLook::daemon(client::Deadline deadline) {
  if (daemon_) return &*daemon_;
  auto stream = connect_(deadline);
  if (!stream) return std::unexpected(std::move(stream.error()));
  Conversation conversation(*std::move(stream));
  const auto hello = conversation.handshake(proto::Role::Observer, 0, deadline);
  if (!hello) return std::unexpected(hello.error());
  return &daemon_.emplace(std::move(conversation));
}

std::expected<TopSample, Failure> TopLook::ask(client::Deadline deadline) {
  const auto conversation = daemon(deadline);
  if (!conversation) return std::unexpected(conversation.error());
  auto sample = ask_top(**conversation, deadline);
  if (!sample) return sample;
  std::vector<std::uint32_t> numbers;
  for (const TopContext& context : sample->contexts) numbers.push_back(context.entry.uid);
  learn_tenants(**conversation, numbers, users_);
  return sample;
}

Outcome TopLook::look() {
  auto sample = ask(top_deadline());
  if (!sample) {
    daemon_.reset();
    now_.reset();
    before_.reset();
    return std::unexpected(std::move(sample.error()));
  }
  if (now_ && !goes_on(*now_, *sample)) {
    before_.reset();
  } else if (now_ && (!before_ || sample->time - now_->time >= interval_ / 2)) {
    before_ = std::move(now_);
  }
  now_ = *std::move(sample);
  return {};
}

std::vector<std::string> TopLook::holdings(std::uint64_t context) {
  const TopContext* const known = now_ ? find_context(*now_, context) : nullptr;
  if (known == nullptr) return {"It has closed."};
  const auto deadline = top_deadline();
  const auto conversation = daemon(deadline);
  if (!conversation) return {conversation.error().message};
  const auto list = ask_holdings(**conversation, context, deadline);
  if (!list) {
    if (list.error().exit != Exit::Tbs) daemon_.reset();
    return {list.error().message};
  }
  std::ostringstream text;
  print_holdings(text, known->entry, *list, users_);
  if (!known->activity.unit.empty()) text << "\nUnit: " << known->activity.unit << '\n';
  return lines_of(text.str());
}

Outcome TopLook::cancel(std::uint64_t context) {
  const auto deadline = top_deadline();
  const auto conversation = daemon(deadline);
  if (!conversation) return std::unexpected(conversation.error());
  auto canceled = cancel_context(**conversation, context, deadline);
  if (!canceled && canceled.error().exit != Exit::Tbs) daemon_.reset();
  return canceled;
}

}  // namespace tbs::ctl

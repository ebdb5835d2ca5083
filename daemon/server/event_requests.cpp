#include "daemon/server/event_requests.h"

#include <algorithm>
#include <utility>

#include "proto/limits.h"

namespace tbs::server {
namespace {

bool may_see(const Client& client, const PastEvent& event) {
  if (client.peer.administrator) return true;
  const std::string& tenant = client.peer.socket->tenant;
  if (tenant != event.fields.tenant) return false;
  return !tenant.empty() || event.fields.uid == shown_number(client.peer.principal.user);
}

proto::EventEntry entry_of(const PastEvent& event) {
  const host::AuditFields& fields = event.fields;
  return {.number = event.number,
          .event = static_cast<std::uint32_t>(event.event),
          .severity = static_cast<std::uint32_t>(host::syslog_level(event.level)),
          .uid = fields.uid.value_or(proto::kNobody),
          .pid = static_cast<std::uint32_t>(fields.pid.value_or(0)),
          .context = fields.context.value_or(0),
          .command = fields.command.value_or(0),
          .program = fields.program,
          .tenant = fields.tenant,
          .rule = fields.rule,
          .text = event.text};
}

}  // namespace

EventRequests::EventRequests(Clients& clients, EventHistory& history, Environment& environment)
    : clients_(clients), history_(history), environment_(environment) {
  // Whoever adds one is in the middle of something.
  history_.on_added([this] {
    if (waiting_.empty() || std::exchange(posted_, true)) return;
    environment_.post([this] { answer_waiting(); });
  });
}

EventRequests::~EventRequests() {
  history_.on_added([] {});
}

proto::EventList EventRequests::page(const Client& client, std::uint64_t after) const {
  const auto& events = history_.events();
  proto::EventList page{.lost = history_.lost_after(after) ? 1U : 0U, .entries = {}};
  for (auto event = std::ranges::upper_bound(events, after, {}, &PastEvent::number);
       event != events.end(); ++event) {
    if (!may_see(client, *event)) continue;
    if (page.entries.size() == proto::kMaxEventsPerPage) {
      page.more = 1;
      break;
    }
    page.entries.push_back(entry_of(*event));
  }
  return page;
}

Handled EventRequests::read_events(Client& client, std::uint64_t request_id,
                                   const proto::ReadEvents& request) {
  if (waiting_.contains(client.id)) return breach("a question before the last one was answered");
  auto found = page(client, request.after);
  if (found.entries.empty() && request.wait != 0) {
    waiting_[client.id] = {.request_id = request_id, .after = request.after};
  } else {
    client.link->send(request_id, std::move(found));
  }
  return {};
}

void EventRequests::answer_waiting() {
  posted_ = false;
  for (auto next = waiting_.begin(); next != waiting_.end();) {
    const auto waiting = next++;
    Client* const client = clients_.find(waiting->first);
    if (client == nullptr) continue;
    auto found = page(*client, waiting->second.after);
    if (found.entries.empty()) {
      // None so far is the client's business: they need not be looked at again.
      waiting->second.after = history_.events().back().number;
      continue;
    }
    const std::uint64_t request_id = waiting->second.request_id;
    waiting_.erase(waiting);
    client->link->send(request_id, std::move(found));
  }
}

}  // namespace tbs::server

#pragma once

// Requests for what has happened. One that waits is answered with the next event that its client
// may see: an administrator all, others what their user or tenant was part of.

#include <cstdint>
#include <map>

#include "daemon/server/clients.h"
#include "daemon/server/environment.h"
#include "daemon/server/event_history.h"
#include "daemon/server/handled.h"
#include "proto/message.h"

namespace tbs::server {

class EventRequests {
 public:
  // All must outlive it.
  EventRequests(Clients& clients, EventHistory& history, Environment& environment);
  ~EventRequests();
  EventRequests(const EventRequests&) = delete;
  EventRequests& operator=(const EventRequests&) = delete;

  Handled read_events(Client& client, std::uint64_t request_id, const proto::ReadEvents& request);
  // The client has gone.
  void forget(std::uint64_t id) { waiting_.erase(id); }

 private:
  struct Waiting {
    std::uint64_t request_id = 0;
    std::uint64_t after = 0;
  };

  [[nodiscard]] proto::EventList page(const Client& client, std::uint64_t after) const;
  void answer_waiting();

  Clients& clients_;
  EventHistory& history_;
  Environment& environment_;
  std::map<std::uint64_t, Waiting> waiting_;  // by client
  bool posted_ = false;
};

}  // namespace tbs::server

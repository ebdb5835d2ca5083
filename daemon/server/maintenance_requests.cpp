#include "daemon/server/maintenance_requests.h"

#include <chrono>
#include <utility>

#include "proto/limits.h"

namespace tbs::server {

using proto::Status;

Handled MaintenanceRequests::maintenance(Client& client, std::uint64_t request_id,
                                         const proto::Maintenance& request) {
  Status status = Status::AccessDenied;
  if (!client.peer.administrator) {
    audit_.denied(client, "the TPM alone");
  } else if (request.seconds == 0) {
    end("an administrator has ended it");
    status = Status::Success;
  } else {
    status = begin(client, request_id, request);
    // Answered when the TPM is free.
    if (status == Status::Success) return {};
  }
  client.link->send(request_id, proto::MaintenanceReply{.status = status});
  return {};
}

Status MaintenanceRequests::begin(const Client& client, std::uint64_t request_id,
                                  const proto::Maintenance& request) {
  if (request.seconds > proto::kMostMaintenanceSeconds || request.patience > request.seconds ||
      request.stays > 1) {
    return Status::BadParameter;
  }
  if (current_) return Status::TooManyResources;
  current_ = Current{.client = client.id, .request_id = request_id, .stays = request.stays == 1};
  audit_.maintenance_wanted(client, request.seconds);
  sink_.hand_over({.time = std::chrono::seconds(request.seconds),
                   .patience = std::chrono::seconds(request.patience)},
                  {.given = [this] { given(); }, .over = [this] { end("its time is over"); }});
  return Status::Success;
}

void MaintenanceRequests::given() {
  if (!current_) return;
  current_->given = true;
  Client* const client = clients_.find(current_->client);
  if (client == nullptr) return;
  client->link->send(current_->request_id, proto::MaintenanceReply{});
}

void MaintenanceRequests::forget(std::uint64_t id) {
  if (!current_ || current_->client != id) return;
  // Who has not been told that it has the TPM does not use it.
  if (current_->stays && current_->given) return;
  end("the program that had asked for it has ended");
}

void MaintenanceRequests::end(const char* why) {
  if (!std::exchange(current_, std::nullopt)) return;
  audit_.maintenance_ended(why);
  sink_.take_back();
}

}  // namespace tbs::server

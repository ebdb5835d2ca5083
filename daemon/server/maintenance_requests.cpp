#include "daemon/server/maintenance_requests.h"

#include <chrono>
#include <utility>

#include "daemon/base/record.h"
#include "proto/limits.h"

namespace tbs::server {

using proto::Status;

namespace {

constexpr const char* kTimeIsOver = "its time is over";
constexpr RecordPart kHandover{.name = "handover", .version = 1};

}  // namespace

struct MaintenanceRequests::Kept {
  std::uint64_t client = 0;
  bool stays = false;
  sched::HandoverDeadlines until;

  template <typename Record>
  void fields(Record& record) {
    record(client, stays, until);
  }
};

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
  sink_.hand_over(
      {.time = std::chrono::seconds(request.seconds),
       .patience = std::chrono::seconds(request.patience)},
      {.given = [this](const auto& until) { given(until); }, .over = [this] { end(kTimeIsOver); }});
  return Status::Success;
}

void MaintenanceRequests::given(const sched::HandoverDeadlines& until) {
  if (!current_) return;
  current_->given = true;
  if (keeper_ != nullptr) {
    proto::Buffer kept;
    RecordWriter record(kept);
    record.part(kHandover);
    record(Kept{.client = current_->client, .stays = current_->stays, .until = until});
    keeper_->handed_over(kept);
  }
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

void MaintenanceRequests::adopt(proto::Bytes kept) {
  if (kept.empty()) return;
  RecordReader record(kept);
  Kept was;
  record.part(kHandover);
  record(was);
  record.end();
  // Its client may have gone while no tbsd was there.
  if (!record.ok() || (!was.stays && clients_.find(was.client) == nullptr)) {
    if (keeper_ != nullptr) keeper_->handed_over({});
    return;
  }
  current_ = Current{.client = was.client, .stays = was.stays, .given = true};
  sink_.handed_over_before(was.until, {.given = nullptr, .over = [this] { end(kTimeIsOver); }});
}

void MaintenanceRequests::stop() {
  end("tbsd stops");
}

void MaintenanceRequests::end(const char* why) {
  const auto ended = std::exchange(current_, std::nullopt);
  if (!ended) return;
  if (ended->given && keeper_ != nullptr) keeper_->handed_over({});
  audit_.maintenance_ended(why);
  sink_.take_back();
}

}  // namespace tbs::server

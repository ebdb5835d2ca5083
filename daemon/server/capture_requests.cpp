#include "daemon/server/capture_requests.h"

#include <utility>

namespace tbs::server {

using proto::Status;

CaptureRequests::CaptureRequests(Clients& clients, Capture& capture, Environment& environment,
                                 Audit& audit)
    : clients_(clients), capture_(capture), environment_(environment), audit_(audit) {
  // Several come in one answer, when the loop has come round.
  capture_.on_added([this] {
    if (waiting_.empty() || std::exchange(posted_, true)) return;
    environment_.post([this] { answer_waiting(); });
  });
}

void CaptureRequests::send(const Client& client, std::uint64_t request_id,
                           const Capture::Page& page) {
  client.link->send(
      request_id,
      proto::CapturePage{.last = page.last, .lost = page.lost, .exchanges = page.exchanges});
}

Handled CaptureRequests::read_capture(Client& client, std::uint64_t request_id,
                                      const proto::ReadCapture& request) {
  if (waiting_.contains(client.id)) return breach("a question before the last one was answered");
  if (!client.peer.administrator) {
    audit_.denied(client, "a capture");
    client.link->send(request_id,
                      proto::CapturePage{.status = Status::AccessDenied, .exchanges = {}});
    return {};
  }
  capture_.asked(environment_.now());
  if (request.after == 0) {
    audit_.captures(client, request.context);
    // Not 0, which would begin anew.
    send(client, request_id, {.exchanges = {}, .last = capture_.begin(), .lost = 0});
    return {};
  }
  const Capture::Page page = capture_.page(request.after, request.context);
  if (page.exchanges.empty()) {
    waiting_[client.id] = {request_id, page.last, request.context, page.lost};
    capture_.set_waiting(true);
  } else {
    send(client, request_id, page);
  }
  return {};
}

void CaptureRequests::forget(std::uint64_t id) {
  waiting_.erase(id);
  capture_.set_waiting(!waiting_.empty());
}

void CaptureRequests::answer_waiting() {
  posted_ = false;
  for (auto next = waiting_.begin(); next != waiting_.end();) {
    const auto one = next++;
    const Client* const client = clients_.find(one->first);
    if (client == nullptr) continue;
    Waiting& waiting = one->second;
    Capture::Page page = capture_.page(waiting.after, waiting.context);
    waiting.after = page.last;
    waiting.lost += page.lost;
    if (page.exchanges.empty()) continue;
    page.lost = waiting.lost;
    const std::uint64_t request_id = waiting.request_id;
    waiting_.erase(one);
    send(*client, request_id, page);
  }
  capture_.asked(environment_.now());
  capture_.set_waiting(!waiting_.empty());
}

}  // namespace tbs::server

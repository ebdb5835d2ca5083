#include "daemon/server/inheritance_requests.h"

#include <algorithm>

namespace tbs::server {
namespace {

using proto::Status;

// In the same time, however much of it is right.
bool has_token(const Client& client, proto::Bytes token) {
  if (token.size() != client.token.size()) return false;
  unsigned difference = 0;
  unsigned any = 0;
  for (std::size_t i = 0; i < token.size(); ++i) {
    difference |= static_cast<unsigned>(token[i]) ^ client.token[i];
    any |= client.token[i];
  }
  return difference == 0 && any != 0;
}

// A server opens its keys as root, and its workers have become another user since they were forked.
// They are in the control group of their parent still; who has got hold of the token elsewhere is
// not.
bool may_be_forked_from(const Peer& parent, const Peer& child) {
  if (parent.socket->tenant != child.socket->tenant) return false;
  if (parent.principal.account == child.principal.account) return true;
  return !parent.subject.cgroup.empty() && parent.subject.cgroup == child.subject.cgroup;
}

}  // namespace

Handled InheritanceRequests::inherit_objects(Client& client, std::uint64_t request_id,
                                             const proto::InheritObjects& request) {
  client.link->send(request_id, proto::InheritObjectsReply{.status = inherit(client, request)});
  return {};
}

Status InheritanceRequests::inherit(const Client& heir, const proto::InheritObjects& request) {
  if (heir.submitted != 0) return Status::BadParameter;
  const Client* const parent = clients_.find(request.context);
  // The same answer for what is not there and what is not the client's.
  if (parent == nullptr || !parent->is_context() || !has_token(*parent, request.token) ||
      !may_be_forked_from(parent->peer, heir.peer)) {
    audit_.does_not_inherit(heir, request.context);
    return Status::AccessDenied;
  }
  audit_.inherits(heir, request.context);
  sink_.inherit(heir.context(), parent->context());
  return Status::Success;
}

}  // namespace tbs::server

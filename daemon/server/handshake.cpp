#include "daemon/server/handshake.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "proto/limits.h"

namespace tbs::server {

using proto::Status;

namespace {

// What it is told of it.
proto::Bytes token_of(const Client& client) {
  const bool has_one = client.token != decltype(client.token){};
  if (!client.is_context() || client.version < 2 || !has_one) return {};
  return client.token;
}

// What the TPM says, where it says something.
std::uint32_t size_or(std::uint32_t told, std::uint32_t usual) {
  return told != 0 ? std::min(told, usual) : usual;
}

}  // namespace

Handled Handshake::hello(Client& client, std::uint64_t request_id, const proto::Hello& hello) {
  if (hello.version_min > proto::kProtocolVersion || hello.version_max < proto::kOldestVersion ||
      (hello.role != proto::Role::Context && hello.role != proto::Role::Observer)) {
    return breach("a hello of an unknown version or role", Status::InvalidContextParam);
  }
  deadlines_.end(client.id);
  client.hello_id = request_id;
  client.role = hello.role;
  client.version = std::min(hello.version_max, proto::kProtocolVersion);
  client.wanted = hello.wanted;
  client.earlier_connections = hello.earlier;
  client.stage = Stage::Waiting;
  // An observer may look at a daemon that has no device; a context waits until one is there or not.
  if (client.role == proto::Role::Observer ||
      sink_.device().state != proto::DeviceState::Starting) {
    keep_and_answer(client);
  }
  return {};
}

// Who has got an answer believes in a restart that costs nothing, so its socket goes first.
void Handshake::keep_and_answer(Client& client) {
  client.stage = Stage::Keeping;
  const auto go_on = [this, id = client.id] {
    Client* const kept = clients_.find(id);
    if (kept != nullptr && kept->stage == Stage::Keeping) answer_hello(*kept);
  };
  if (keeper_ == nullptr || keeper_->keep_socket(client.id, go_on)) answer_hello(client);
}

void Handshake::answer_hello(Client& client) {
  const Status status = admission_.admit(client);
  client.stage = Stage::Open;
  if (status != Status::Success) client.role = proto::Role::Observer;
  const bool context = client.is_context();
  if (context) open_context(client);
  if (keeper_ != nullptr) keeper_->opened(client);
  const DeviceView device = sink_.device();
  client.link->send(client.hello_id, proto::HelloReply{.status = status,
                                                       .version = client.version,
                                                       .context = context ? client.id : 0,
                                                       .max_command = device.max_command,
                                                       .max_response = device.max_response,
                                                       .token = token_of(client)});
}

void Handshake::open_context(Client& client) {
  if (admission_.open(client)) {
    settings_.claim_tpm(client.context());
    audit_.has_tpm_to_itself(client);
  }
  clients_.opened(client);
  sink_.open_context(client.context(), client.peer.principal);
  if (client.earlier_connections > 0) {
    sink_.skip_handles(client.context(), client.earlier_connections);
  }
  // Without one nobody inherits the context.
  if (!environment_.fill_random(client.token)) client.token = {};
  audit_.connected(client);
}

void Handshake::go_on(Client& client) {
  deadlines_.end(client.id);
  client.stage = Stage::Open;
  if (!client.is_context()) return;
  admission_.open(client);
  clients_.opened(client);
}

Handled Handshake::device_info(Client& client, std::uint64_t request_id, const proto::DeviceInfo&) {
  client.device_info_id = request_id;
  if (sink_.device().state == proto::DeviceState::Starting) {
    client.link->set_window_full(true);
  } else {
    answer_device_info(client);
  }
  return {};
}

void Handshake::answer_device_info(Client& client) {
  const exec::TpmIdentity& tpm = sink_.identity();
  const DeviceView device = sink_.device();
  const auto link = client.link;
  const std::uint64_t request = *std::exchange(client.device_info_id, std::nullopt);
  link->send(request,
             proto::DeviceInfoReply{.status = !tpm.family ? device.missing : Status::Success,
                                    .tpm_version = tpm_version_of(tpm.family),
                                    .interface_type = device.interface_type,
                                    .revision = tpm.revision,
                                    .max_command = size_or(tpm.max_command, device.max_command),
                                    .max_response = size_or(tpm.max_response, device.max_response),
                                    .manufacturer = tpm.manufacturer,
                                    .device = std::string(device.name)});
  link->set_window_full(client.outstanding.size() >= proto::kMaxOutstanding);
}

void Handshake::device_changed() {
  std::vector<std::uint64_t> waiting;
  for (const auto& [id, client] : clients_.all()) {
    if (client.stage == Stage::Waiting || client.device_info_id) waiting.push_back(id);
  }
  std::ranges::sort(waiting);
  // An answer may end its connection, and with it others of the list: each is looked up anew.
  for (const std::uint64_t id : waiting) {
    Client* const client = clients_.find(id);
    if (client == nullptr) continue;
    if (client->stage == Stage::Waiting) {
      keep_and_answer(*client);
    } else if (client->device_info_id) {
      answer_device_info(*client);
    }
  }
}

}  // namespace tbs::server

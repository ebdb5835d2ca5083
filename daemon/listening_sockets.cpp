#include "daemon/listening_sockets.h"

#include <filesystem>
#include <utility>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "daemon/base/tenant_name.h"

namespace tbs {
namespace {

using server::Listener;
using server::SharedProfile;
using server::SocketFile;
using server::SocketProfile;

constexpr std::string_view kEverybodysName = "tbsd";
constexpr std::string_view kAdminName = "admin";
constexpr std::string_view kMetricsName = "metrics";
constexpr std::string_view kNodeName = "node";
// Of sockets that a daemon has bound and hands over to itself, with their files.
constexpr std::string_view kOwnPrefix = "own-";
constexpr std::string_view kTenantPrefix = "tenant-";

// What the name of a handed-over socket says that it is. A name that says nothing gives nothing:
// it is everybody's.
SharedProfile profile_for(std::string_view name) {
  return name == kAdminName ? server::administrators_profile() : server::everybodys_profile();
}

std::string_view tenant_in(std::string_view name) {
  if (!name.starts_with(kTenantPrefix)) return {};
  name.remove_prefix(kTenantPrefix.size());
  return is_tenant_name(name) ? name : std::string_view{};
}

// The daemon's user's, or a group's as well.
SocketFile narrow_file(std::string path, const std::string& group, gid_t number) {
  SocketFile file{.path = std::move(path), .mode = 0600};
  if (!group.empty()) {
    file.mode = 0660;
    file.group = number;
  }
  return file;
}

SocketFile admin_file(const Config& config) {
  return narrow_file(admin_socket_path(config), config.admin_group, config.admin_gid);
}

SocketFile tenant_file(const Config& config, const Tenant& tenant) {
  const std::filesystem::path beside = std::filesystem::path(config.socket).parent_path();
  return {.path = !tenant.socket.empty() ? tenant.socket
                                         : (beside / "tenants" / (tenant.name + ".sock")).string(),
          .mode = tenant.mode.value_or(tenant.gid ? 0660 : 0600),
          .group = tenant.gid};
}

}  // namespace

std::string admin_socket_path(const Config& config) {
  if (config.admin_socket == "none") return {};
  if (config.admin_socket != "auto") return config.admin_socket;
  const std::filesystem::path everybodys(config.socket);
  const std::string stem =
      everybodys.extension() == ".sock" ? everybodys.stem() : everybodys.filename();
  const std::string name = stem == "tbsd" ? "admin.sock" : stem + ".admin.sock";
  return (everybodys.parent_path() / name).string();
}

std::expected<void, std::string> ListeningSockets::open(
    const Config& config, const std::vector<host::InheritedSocket>& inherited) {
  for (const host::InheritedSocket& socket : inherited) {
    if (auto adopted = adopt(socket); !adopted) return adopted;
  }
  open_metrics_socket(config);
  open_node_socket(config);
  if (sockets_.empty() && tenants_.empty()) {
    if (auto opened = open_clients_sockets(config); !opened) return opened;
  }
  set_tenants(config);
  return {};
}

// Everybody's last: who finds it finds the others, too.
std::expected<void, std::string> ListeningSockets::open_clients_sockets(const Config& config) {
  if (const SocketFile admin = admin_file(config); !admin.path.empty()) {
    if (auto bound = bind(admin, server::administrators_profile()); !bound) {
      return std::unexpected(bound.error() + "; see admin-socket");
    }
  }
  return bind({.path = config.socket}, server::everybodys_profile());
}

// Without it the TPM can be used all the same.
void ListeningSockets::open_metrics_socket(const Config& config) {
  if (metrics_ || config.metrics_socket.empty()) return;
  auto listener = std::make_shared<Listener>(io_);
  if (const auto bound = listener->bind(
          narrow_file(config.metrics_socket, config.metrics_group, config.metrics_gid));
      !bound) {
    spdlog::error("there are no metrics: {}; see metrics-socket", bound.error());
    return;
  }
  metrics_ = std::move(listener);
}

// Nor is a node needed by anybody else. Its file is the daemon's user's: root's services may open
// it.
void ListeningSockets::open_node_socket(const Config& config) {
  if (node_ || config.node_socket.empty()) return;
  auto listener = std::make_shared<Listener>(io_);
  if (const auto bound = listener->bind({.path = config.node_socket, .mode = 0600}); !bound) {
    spdlog::error("no service can offer device nodes: {}; see node-socket", bound.error());
    return;
  }
  node_ = std::move(listener);
}

std::expected<void, std::string> ListeningSockets::adopt(const host::InheritedSocket& inherited) {
  auto listener = std::make_shared<Listener>(io_);
  std::string_view name = inherited.name;
  const bool own = name.starts_with(kOwnPrefix);
  if (own) name.remove_prefix(kOwnPrefix.size());
  if (auto adopted = listener->adopt(inherited.descriptor, own); !adopted) return adopted;
  if (const auto tenant = tenant_in(name); !tenant.empty()) {
    tenant_entry(std::string(tenant)).listener = std::move(listener);
  } else if (name == kMetricsName) {
    metrics_ = std::move(listener);
  } else if (name == kNodeName) {
    node_ = std::move(listener);
  } else {
    sockets_.push_back({.listener = std::move(listener), .profile = profile_for(name)});
  }
  return {};
}

std::expected<void, std::string> ListeningSockets::bind(const SocketFile& file,
                                                        SharedProfile profile) {
  auto listener = std::make_shared<Listener>(io_);
  if (auto bound = listener->bind(file); !bound) return bound;
  sockets_.push_back({.listener = std::move(listener), .profile = std::move(profile)});
  return {};
}

void ListeningSockets::start(Handler handler, MetricsHandler metrics_handler) {
  handler_ = std::move(handler);
  if (metrics_) metrics_->start(std::move(metrics_handler));
  if (node_) serve(*node_, server::node_profile());
  for (const Entry& entry : sockets_) serve(*entry.listener, entry.profile);
  for (const auto& [name, entry] : tenants_) serve(*entry.listener, entry.profile);
}

void ListeningSockets::serve(Listener& listener, SharedProfile profile) {
  listener.start([this, profile = std::move(profile)](Listener::Socket socket) {
    handler_(std::move(socket), profile);
  });
}

void ListeningSockets::set_tenants(const Config& config) {
  for (auto& [name, entry] : tenants_) {
    // The service manager's stay, also without a file of their own.
    entry.wanted = entry.file.path.empty();
    entry.profile->role.clear();
    entry.profile->limits.reset();
  }
  for (const Tenant& tenant : config.tenants) set_tenant(tenant, tenant_file(config, tenant));
  remove_unwanted_tenants();
}

void ListeningSockets::set_tenant(const Tenant& tenant, const SocketFile& file) {
  TenantEntry& entry = tenant_entry(tenant.name);
  entry.profile->role = tenant.role;
  entry.profile->limits = tenant.limits;
  const bool handed_over = entry.listener && entry.file.path.empty();
  if (handed_over || (entry.listener && entry.file == file)) {
    entry.wanted = true;
    return;
  }
  entry.wanted = open_tenant(entry, file);
}

ListeningSockets::TenantEntry& ListeningSockets::tenant_entry(const std::string& name) {
  TenantEntry& entry = tenants_[name];
  if (!entry.profile) {
    entry.profile = std::make_shared<SocketProfile>();
    entry.profile->tenant = name;
  }
  return entry;
}

// The old socket goes first: the new one may have its path.
bool ListeningSockets::open_tenant(TenantEntry& entry, const SocketFile& file) {
  retire(std::exchange(entry.listener, nullptr));
  auto listener = std::make_shared<Listener>(io_);
  if (const auto bound = listener->bind(file); !bound) {
    spdlog::error("tenant {} has no socket: {}", entry.profile->tenant, bound.error());
    return false;
  }
  entry.listener = std::move(listener);
  entry.file = file;
  if (handler_) serve(*entry.listener, entry.profile);
  return true;
}

void ListeningSockets::remove_unwanted_tenants() {
  for (auto entry = tenants_.begin(); entry != tenants_.end();) {
    if (entry->second.wanted) {
      ++entry;
      continue;
    }
    retire(std::move(entry->second.listener));
    entry = tenants_.erase(entry);
  }
}

// What it has accepted comes through the loop before this does.
void ListeningSockets::retire(std::shared_ptr<Listener> listener) {
  if (!listener) return;
  listener->stop();
  boost::asio::post(io_, [listener = std::move(listener)] {});
}

void ListeningSockets::stop() {
  if (metrics_) metrics_->stop();
  if (node_) node_->stop();
  for (const Entry& entry : sockets_) entry.listener->stop();
  for (const auto& [name, entry] : tenants_) entry.listener->stop();
}

std::vector<host::NamedDescriptor> ListeningSockets::descriptors() const {
  std::vector<host::NamedDescriptor> all;
  for (const Entry& entry : sockets_) {
    const bool admin = entry.profile->highest == server::HighestRole::Administrator;
    std::string name(entry.listener->own() ? kOwnPrefix : std::string_view{});
    name += admin ? kAdminName : kEverybodysName;
    all.push_back({std::move(name), entry.listener->descriptor()});
  }
  const auto add = [&all](const std::shared_ptr<Listener>& listener, std::string_view what) {
    if (!listener) return;
    std::string name(listener->own() ? kOwnPrefix : std::string_view{});
    name += what;
    all.push_back({std::move(name), listener->descriptor()});
  };
  add(metrics_, kMetricsName);
  add(node_, kNodeName);
  return all;
}

std::vector<SharedProfile> ListeningSockets::tenants() const {
  std::vector<SharedProfile> all;
  all.reserve(tenants_.size());
  for (const auto& [name, entry] : tenants_) all.push_back(entry.profile);
  return all;
}

}  // namespace tbs

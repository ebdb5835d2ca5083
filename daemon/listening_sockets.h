#pragma once

// All sockets that clients connect to, and what each of them gives: everybody's, the
// administrators', those of tenants and that of a service for device nodes; and the one where
// metrics are read. Bound by the daemon, or handed over by systemd and told apart by their names.

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "daemon/config/config.h"
#include "daemon/host/inherited_descriptors.h"
#include "daemon/server/listener.h"
#include "daemon/server/socket_profile.h"

namespace tbs {

// Where the administrators' socket is; empty for nowhere. Beside tbsd.sock it is admin.sock, beside
// NAME.sock it is NAME.admin.sock, so that daemons in one folder do not meet.
std::string admin_socket_path(const Config& config);

class ListeningSockets {
 public:
  using Handler = std::function<void(server::Listener::Socket, server::SharedProfile)>;
  using MetricsHandler = std::function<void(server::Listener::Socket)>;

  explicit ListeningSockets(boost::asio::io_context& io) : io_(io) {}

  // With `inherited`, those are all clients' own; else everybody's and the administrators' are
  // bound. The tenants that are not handed over are bound in either case; one that cannot be is
  // logged and left out.
  std::expected<void, std::string> open(const Config& config,
                                        const std::vector<host::InheritedSocket>& inherited);
  void start(Handler handler, MetricsHandler metrics_handler);
  // Opens and closes sockets of tenants until they are those that the configuration names.
  void set_tenants(const Config& config);
  void stop();

  // For a process that goes on in place of this one, which opens those of tenants itself.
  [[nodiscard]] std::vector<host::NamedDescriptor> descriptors() const;
  // The tenants there are.
  [[nodiscard]] std::vector<server::SharedProfile> tenants() const;

 private:
  struct Entry {
    std::shared_ptr<server::Listener> listener;
    server::SharedProfile profile;
  };
  struct TenantEntry {
    std::shared_ptr<server::Listener> listener;
    std::shared_ptr<server::SocketProfile> profile;
    server::SocketFile file;  // without a path when it was handed over
    bool wanted = true;
  };

  std::expected<void, std::string> open_clients_sockets(const Config& config);
  void open_metrics_socket(const Config& config);
  void open_node_socket(const Config& config);
  std::expected<void, std::string> adopt(const host::InheritedSocket& inherited);
  std::expected<void, std::string> bind(const server::SocketFile& file,
                                        server::SharedProfile profile);
  void set_tenant(const Tenant& tenant, const server::SocketFile& file);
  TenantEntry& tenant_entry(const std::string& name);
  bool open_tenant(TenantEntry& entry, const server::SocketFile& file);
  void remove_unwanted_tenants();
  void serve(server::Listener& listener, server::SharedProfile profile);
  void retire(std::shared_ptr<server::Listener> listener);

  boost::asio::io_context& io_;
  Handler handler_;  // null until start()
  std::vector<Entry> sockets_;
  std::shared_ptr<server::Listener> metrics_;  // null when there is none
  std::shared_ptr<server::Listener> node_;     // the same
  std::map<std::string, TenantEntry, std::less<>> tenants_;
};

}  // namespace tbs

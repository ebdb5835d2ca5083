#include "daemon/server/listener.h"

#include <cstring>
#include <filesystem>
#include <utility>

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/host/audit.h"

namespace tbs::server {
namespace {

namespace asio = boost::asio;
using Protocol = asio::local::stream_protocol;

// Pause after accept() failed for want of descriptors or memory: the clients that are there go on.
constexpr std::chrono::milliseconds kAcceptRetry{100};
// Whoever connects waits for all who are before it in the backlog. It is short, so that somebody
// who connects without end waits outside of it for the most part, beside the others.
constexpr int kBacklog = 96;
// Connections taken before the loop looks at anything else, and the pause when there are more: what
// keeps somebody who connects without end from keeping the loop busy.
constexpr int kAcceptedAtOnce = 24;
constexpr std::chrono::milliseconds kPause{1};

// Whoever may not connect cannot tell whether somebody listens: then somebody may.
bool may_be_in_use(asio::io_context& io, const std::string& path) {
  Protocol::socket probe(io);
  boost::system::error_code error;
  probe.connect(Protocol::endpoint(path), error);
  return error != asio::error::connection_refused &&
         error != boost::system::errc::no_such_file_or_directory;
}

// Nobody can connect before listen(), so who may is settled when the first one comes.
std::expected<void, std::string> restrict_to(const SocketFile& file) {
  const auto failed = [&file](const char* what) {
    return std::unexpected(std::string(what) + " " + file.path + ": " + std::strerror(errno));
  };
  if (file.group && ::chown(file.path.c_str(), static_cast<uid_t>(-1), *file.group) != 0) {
    return failed("give its group the socket");
  }
  if (::chmod(file.path.c_str(), file.mode) != 0) return failed("set the mode of");
  return {};
}

}  // namespace

Listener::~Listener() {
  stop();
}

std::expected<void, std::string> Listener::adopt(int descriptor, bool own) {
  boost::system::error_code error;
  acceptor_.assign(Protocol(), descriptor, error);
  if (error) return std::unexpected("take over the socket from systemd: " + error.message());
  if (own) own_path_ = acceptor_.local_endpoint(error).path();
  return {};
}

std::expected<void, std::string> Listener::make_way(const std::string& path) {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  if (!std::filesystem::is_socket(path, ignored)) return {};
  auto& io = acceptor_.get_executor().context();
  if (may_be_in_use(io, path)) return std::unexpected("another daemon answers on " + path);
  std::filesystem::remove(path, ignored);
  return {};
}

std::expected<void, std::string> Listener::bind(const SocketFile& file) {
  const std::string& path = file.path;
  if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) {
    return std::unexpected("socket path '" + path + "' is empty or longer than 107 bytes");
  }
  if (auto free = make_way(path); !free) return free;
  boost::system::error_code error;
  acceptor_.open(Protocol(), error);
  if (!error) acceptor_.bind(Protocol::endpoint(path), error);
  if (error) return std::unexpected("bind " + path + ": " + error.message());
  own_path_ = path;
  if (auto restricted = restrict_to(file); !restricted) return restricted;
  acceptor_.listen(kBacklog, error);
  if (error) return std::unexpected("listen on " + path + ": " + error.message());
  return {};
}

void Listener::start(AcceptHandler handler) {
  handler_ = std::move(handler);
  boost::system::error_code ignored;
  acceptor_.non_blocking(true, ignored);
  accept();
}

void Listener::stop() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  retry_.cancel();
  if (!own_path_.empty()) ::unlink(std::exchange(own_path_, {}).c_str());
}

// One that connects again and again must not keep the others waiting in the kernel.
bool Listener::accept_waiting() {
  for (int i = 0; i < kAcceptedAtOnce && acceptor_.is_open(); ++i) {
    boost::system::error_code none_left;
    Socket socket(acceptor_.get_executor());
    acceptor_.accept(socket, none_left);
    if (none_left) return true;
    handler_(std::move(socket));
  }
  return false;
}

void Listener::accept_after(std::chrono::milliseconds pause) {
  retry_.expires_after(pause);
  retry_.async_wait([this](const boost::system::error_code& stopped) {
    if (!stopped) accept();
  });
}

void Listener::accept() {
  acceptor_.async_accept([this](const boost::system::error_code& error, Socket socket) {
    if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
    if (!error) {
      handler_(std::move(socket));
      accept_waiting() ? accept() : accept_after(kPause);
      return;
    }
    host::audit(
        spdlog::level::warn, proto::Event::Descriptors, {},
        "cannot take another connection (" + error.message() +
            "); those that are there go on, and it is tried again; raise LimitNOFILE if this goes "
            "on");
    accept_after(kAcceptRetry);
  });
}

}  // namespace tbs::server

#include "client/tbsctl/connection/connect.h"

#include "client/socket_path.h"
#include "client/socket_stream.h"
#include "client/tbsctl/connection/conversation.h"

namespace tbs::ctl {
namespace {

std::string_view advice_for(client::StreamFault fault) {
  switch (fault) {
    case client::StreamFault::NotRunning:
      return "; start it (`systemctl start tbsd.socket`), or name its socket with --socket or "
             "TBS_SOCKET";
    case client::StreamFault::Denied:
      return "; an administrator decides who may use the socket";
    case client::StreamFault::Closed:
    case client::StreamFault::TimedOut:
      return "; see `journalctl -t tbsd`";
    default:
      return "";
  }
}

Failure unreachable(const std::string& what, const client::StreamError& error) {
  return {.exit = Exit::Unreachable,
          .message = what + ": " + client::describe(error) + std::string(advice_for(error.fault))};
}

class DaemonSocket : public Stream {
 public:
  DaemonSocket(client::SocketStream socket, std::string path)
      : socket_(std::move(socket)), path_(std::move(path)) {}

  std::expected<void, Failure> send(proto::Bytes bytes, client::Deadline deadline) override {
    const auto sent = socket_.send_all(bytes, deadline);
    if (!sent) return std::unexpected(lost(sent.error()));
    return {};
  }

  std::expected<std::size_t, Failure> receive(std::span<std::uint8_t> room,
                                              client::Deadline deadline) override {
    if (client::is_over(deadline)) return std::unexpected(lost({client::StreamFault::TimedOut}));
    const auto count = socket_.receive(room, deadline);
    if (!count) return std::unexpected(lost(count.error()));
    return *count;
  }

 private:
  [[nodiscard]] Failure lost(const client::StreamError& error) const {
    return unreachable("lost tbsd at " + path_, error);
  }

  client::SocketStream socket_;
  std::string path_;
};

}  // namespace

std::expected<std::unique_ptr<Stream>, Failure> connect_to_daemon(const std::string& socket,
                                                                  client::Deadline deadline) {
  std::string path = client::socket_path(socket);
  if (!deadline) deadline = Conversation::deadline_for(Patience::Start);
  auto connected = client::SocketStream::connect(path, deadline);
  if (!connected) {
    return std::unexpected(unreachable("cannot reach tbsd at " + path, connected.error()));
  }
  return std::make_unique<DaemonSocket>(*std::move(connected), std::move(path));
}

}  // namespace tbs::ctl

#include "tests/integration/support/raw_client.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/integration/support/unix_socket.h"

namespace tbs::test {
namespace {

// Whether the socket became ready for `events` in time.
bool wait_for(int socket, short events, std::chrono::milliseconds patience) {
  pollfd wanted{.fd = socket, .events = events, .revents = 0};
  return ::poll(&wanted, 1, static_cast<int>(patience.count())) > 0;
}

}  // namespace

proto::Buffer submit_frame(std::uint64_t request_id, const proto::Buffer& command,
                           std::uint32_t priority) {
  return frame_of(request_id, proto::Submit{.priority = priority, .command = command});
}

RawClient::RawClient(const std::string& socket_path) : socket_(connect_to(socket_path)) {}

RawClient::~RawClient() {
  close();
}

RawClient::RawClient(RawClient&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      last_id_(other.last_id_),
      context_id_(other.context_id_),
      input_(std::move(other.input_)) {}

RawClient& RawClient::operator=(RawClient&& other) noexcept {
  std::swap(socket_, other.socket_);
  last_id_ = other.last_id_;
  context_id_ = other.context_id_;
  input_ = std::move(other.input_);
  return *this;
}

RawClient RawClient::context(const std::string& socket_path) {
  RawClient client(socket_path);
  const auto reply = client.hello(proto::Role::Context);
  if (reply.status != proto::Status::Success) {
    throw std::runtime_error("no context: " + std::string(proto::status_name(reply.status)));
  }
  return client;
}

RawClient RawClient::observer(const std::string& socket_path) {
  RawClient client(socket_path);
  client.hello(proto::Role::Observer);
  return client;
}

bool RawClient::can_connect(const std::string& socket_path) {
  const int socket = try_connect(socket_path);
  if (socket >= 0) ::close(socket);
  return socket >= 0;
}

proto::HelloReply RawClient::hello(proto::Role role, std::uint32_t wanted) {
  const auto reply = ask(proto::Hello{.role = role, .wanted = wanted});
  context_id_ = reply.context;
  return reply;
}

void RawClient::send_bytes(proto::Bytes bytes) {
  while (!bytes.empty()) {
    const std::size_t sent = send_some(bytes);
    bytes = bytes.subspan(sent);
    if (sent == 0 && !wait_for(socket_, POLLOUT, kPatience)) {
      throw std::runtime_error("the daemon does not read");
    }
  }
}

std::size_t RawClient::send_some(proto::Bytes bytes) {
  const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == EAGAIN) return 0;
  throw std::system_error(errno, std::generic_category(), "send to the daemon");
}

void RawClient::shut_down_sending() {
  ::shutdown(socket_, SHUT_WR);
}

void RawClient::close() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

std::optional<Received> RawClient::receive(std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (true) {
    const auto frame = input_.next();
    if (!frame) throw std::runtime_error("the daemon broke the protocol");
    if (*frame) {
      return Received{.type = (*frame)->type,
                      .request_id = (*frame)->request_id,
                      .payload = {(*frame)->payload.begin(), (*frame)->payload.end()}};
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !wait_for(socket_, POLLIN, left)) {
      throw std::runtime_error("no answer of the daemon in time");
    }
    const auto room = input_.writable();
    const ssize_t count = ::recv(socket_, room.data(), room.size(), 0);
    if (count == 0 || (count < 0 && errno == ECONNRESET)) return std::nullopt;
    if (count < 0) throw std::system_error(errno, std::generic_category(), "receive");
    input_.commit(static_cast<std::size_t>(count));
  }
}

Answer RawClient::receive_result(std::chrono::milliseconds patience) {
  const auto received = receive(patience);
  if (!received) throw std::runtime_error("the daemon closed the connection");
  const auto result = proto::decode<proto::Result>(received->payload);
  if (received->type != proto::Type::Result || !result) {
    throw std::runtime_error("the daemon sent something else than a result");
  }
  return {.request_id = received->request_id,
          .status = result->status,
          .response = {result->response.begin(), result->response.end()}};
}

bool RawClient::has_frame(std::chrono::milliseconds patience) {
  return input_.buffered() > 0 || wait_for(socket_, POLLIN, patience);
}

Answer RawClient::call(const proto::Buffer& command, std::uint32_t priority) {
  submit(++last_id_, command, priority);
  Answer answer = receive_result();
  if (answer.request_id != last_id_) throw std::runtime_error("answer to another request");
  return answer;
}

proto::Buffer RawClient::response(const proto::Buffer& command) {
  Answer answer = call(command);
  if (answer.status != proto::Status::Success) {
    throw std::runtime_error("submit: " + std::string(proto::status_name(answer.status)));
  }
  return std::move(answer.response);
}

}  // namespace tbs::test

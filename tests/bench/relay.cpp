#include "tests/bench/relay.h"

#include <array>
#include <cerrno>
#include <system_error>

#include <poll.h>
#include <sys/socket.h>

#include "proto/tpm_header.h"
#include "tests/bench/direct_client.h"
#include "tests/bench/samples.h"
#include "tests/bench/unix_socket.h"

namespace tbs::bench {
namespace {

// Passes on what is there; false at the end of the connection.
bool copy_some(int from, int to) {
  std::array<std::uint8_t, 4096> buffer{};
  const ssize_t count = ::recv(from, buffer.data(), buffer.size(), 0);
  if (count <= 0) return false;
  send_whole(to, proto::Bytes(buffer).first(static_cast<std::size_t>(count)));
  return true;
}

void copy_both_ways(int one, int other) {
  std::array<pollfd, 2> ends = {pollfd{.fd = one, .events = POLLIN, .revents = 0},
                                pollfd{.fd = other, .events = POLLIN, .revents = 0}};
  for (;;) {
    if (::poll(ends.data(), ends.size(), -1) < 0) return;
    if (ends[0].revents != 0 && !copy_some(one, other)) return;
    if (ends[1].revents != 0 && !copy_some(other, one)) return;
  }
}

}  // namespace

Relay::Relay(std::string path) : path_(std::move(path)), ports_(listen_on_port_pair()) {
  listeners_.emplace_back([this] { accept_all(ports_.data.get(), &Relay::serve_data); });
  listeners_.emplace_back([this] { accept_all(ports_.control.get(), &Relay::serve_control); });
}

Relay::~Relay() {
  ::shutdown(ports_.data.get(), SHUT_RDWR);
  ::shutdown(ports_.control.get(), SHUT_RDWR);
  listeners_.clear();
  for (const auto& socket : sockets_) ::shutdown(socket.get(), SHUT_RDWR);
  threads_.clear();
}

void Relay::accept_all(int listening, Serve serve) {
  for (;;) {
    auto user = accept_tcp(listening);
    if (!user.valid()) return;
    const int descriptor = user.get();
    const std::lock_guard lock(mutex_);
    sockets_.push_back(std::move(user));
    threads_.emplace_back([this, serve, descriptor] {
      try {
        (this->*serve)(descriptor);
      } catch (const std::runtime_error&) {
        // One side has closed: so does the other.
      }
      ::shutdown(descriptor, SHUT_RDWR);
    });
  }
}

void Relay::serve_data(int user) {
  const auto tpm = connect_unix(path_);
  for (;;) pass_command(user, tpm.get());
}

void Relay::serve_control(int user) {
  const auto tpm = connect_unix(path_ + ".ctrl");
  copy_both_ways(user, tpm.get());
}

void Relay::pass_command(int user, int tpm) {
  std::array<std::uint8_t, 4096> buffer{};
  const proto::Bytes command = receive_tpm_message(user, buffer);
  const auto start = Clock::now();
  const auto time = chip_.load()->time_of(proto::read_tpm_header(command)->code);
  ++commands_;
  send_whole(tpm, command);
  const proto::Bytes response = receive_tpm_message(tpm, buffer);
  if (time.count() > 0) std::this_thread::sleep_until(start + time);
  send_whole(user, response);
}

OpenClient direct_clients(const Relay& relay) {
  auto line = std::make_shared<DirectLine>(connect_tcp(relay.port()));
  return [line] { return std::make_unique<DirectClient>(line); };
}

}  // namespace tbs::bench

#include "tests/bench/relay.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>

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

Relay::Relay(std::string path)
    : path_(std::move(path)),
      ports_(listen_on_port_pair()),
      tpm_(connect_unix(path_)),
      data_([this] { serve_data(); }),
      control_([this] { serve_control(); }) {}

Relay::~Relay() {
  ::shutdown(ports_.data.get(), SHUT_RDWR);
  ::shutdown(ports_.control.get(), SHUT_RDWR);
}

void Relay::serve_data() {
  try {
    serve_commands();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "relay: %s\n", error.what());
  }
  users_.clear();  // whoever still waits finds out
}

// Until the listening socket is shut down.
void Relay::serve_commands() {
  for (;;) {
    std::vector<pollfd> waiting = {{.fd = ports_.data.get(), .events = POLLIN, .revents = 0}};
    for (const Fd& user : users_) {
      waiting.push_back({.fd = user.get(), .events = POLLIN, .revents = 0});
    }
    if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
    std::erase_if(users_, [&](const Fd& user) {
      const auto entry = std::ranges::find(waiting, user.get(), &pollfd::fd);
      return entry->revents != 0 && !serve_user(user.get());
    });
    if (waiting.front().revents == 0) continue;
    Fd user = accept_tcp(ports_.data.get());
    if (!user.valid()) return;
    users_.push_back(std::move(user));
  }
}

// False when the user has gone.
bool Relay::serve_user(int user) {
  std::uint8_t first = 0;
  if (::recv(user, &first, 1, MSG_PEEK) <= 0) return false;
  pass_command(user);
  return true;
}

void Relay::pass_command(int user) {
  std::array<std::uint8_t, 4096> buffer{};
  const proto::Bytes command = receive_tpm_message(user, buffer);
  const auto start = Clock::now();
  const auto time = chip_.load()->time_of(proto::read_tpm_header(command)->code);
  ++commands_;
  send_whole(tpm_.get(), command);
  const proto::Bytes response = receive_tpm_message(tpm_.get(), buffer);
  if (time.count() > 0) std::this_thread::sleep_until(start + time);
  send_whole(user, response);
}

void Relay::serve_control() {
  for (;;) {
    const Fd user = accept_tcp(ports_.control.get());
    if (!user.valid()) return;
    try {
      pass_control(user.get());
    } catch (const std::runtime_error&) {
      // One side has closed: so does the other.
    }
  }
}

void Relay::pass_control(int user) {
  const Fd tpm = connect_unix(path_ + ".ctrl");
  copy_both_ways(user, tpm.get());
}

OpenClient direct_clients(const Relay& relay) {
  auto line = std::make_shared<DirectLine>(connect_tcp(relay.port()));
  return [line] { return std::make_unique<DirectClient>(line); };
}

}  // namespace tbs::bench

// What a daemon can send to libtbs: the input is everything that comes after the greeting, then the
// connection ends. Once as it is, and once for each message of the list as what that message
// carries. Whatever it is, every command that is open ends, and none hangs; once the connection has
// ended, what comes later is not sent.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include "client/channel.h"
#include "proto/message_list.h"

using namespace tbs;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

constexpr std::array<std::uint8_t, 12> kCommand = {0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 8};

// One connection, on which the daemon says this.
void hear(proto::Bytes said) {
  std::array<int, 2> ends{};
  auto ours = client::Descriptor::open([&] {
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    return ends[0];
  });
  client::HandshakeResult greeted{
      .connection = {.stream = client::SocketStream(std::move(ours))},
      .terms = {.window = 8, .max_command = 4096, .max_response = 4096}};
  client::Channel channel(std::move(greeted));
  const auto first = channel.begin({0, 0, kCommand});
  const auto second = channel.begin({0, 0, kCommand});
  require(first == 1U && second == 2U);
  const auto sent = ::send(ends[1], said.data(), said.size(), MSG_NOSIGNAL);
  require(sent == static_cast<ssize_t>(said.size()) || said.empty());
  ::shutdown(ends[1], SHUT_WR);

  std::array<std::uint8_t, 64> room{};
  std::size_t length = 0;
  for (const std::uint64_t request : {*second, *first}) {
    const auto status = channel.take(request, room, length, {});
    require(status.has_value());
    require(*status != proto::Status::Success || length <= room.size());
  }
  std::size_t unused = 0;
  const auto later = channel.submit({0, 0, kCommand}, room, unused);
  require(later || channel.ended() || later.error() == proto::Status::InsufficientBuffer);
  if (channel.ended()) require(!channel.begin({0, 0, kCommand}).error());
  ::close(ends[1]);
}

// More does not fit into a socket that nobody reads from yet.
constexpr std::size_t kMostSaid = 65536;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMostSaid - proto::kFrameHeaderSize) return 0;
  const proto::Bytes input(data, size);
  hear(input);
  proto::for_each_message([&]<typename Message>(const proto::MessageRule& rule) {
    if (rule.direction == proto::Direction::ToDaemon) return;
    if (size < rule.min_payload || size > rule.max_payload) return;
    proto::Buffer frame;
    const std::size_t start = proto::begin_frame(frame, rule.type, 2);
    frame.insert(frame.end(), input.begin(), input.end());
    proto::end_frame(frame, start);
    hear(frame);
  });
  return 0;
}

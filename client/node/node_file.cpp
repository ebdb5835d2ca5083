#include "client/node/node_file.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <poll.h>

namespace tbs::node {
namespace {

// Where the size of a command ends, which is as far as the kernel looks.
constexpr std::size_t kSizeEnd = 6;
constexpr std::size_t kHeader = 10;

std::uint32_t size_in(proto::Bytes command) {
  proto::ByteReader reader(command);
  reader.be16();
  return reader.be32();
}

}  // namespace

int NodeFile::refusal(proto::Bytes bytes) const {
  if (bytes.size() > kNodeBuffer) return E2BIG;
  if (state_ == State::Running || (state_ == State::Unread && !was_touched_)) return EBUSY;
  if (bytes.size() < kSizeEnd || bytes.size() < size_in(bytes)) return EINVAL;
  // The kernel sends these to the TPM, which is none's to read as a command.
  return size_in(bytes) < kHeader ? EINVAL : 0;
}

NodeActions NodeFile::write(Call call, proto::Bytes bytes, bool nonblocking) {
  NodeActions actions;
  if (const int error = refusal(bytes); error != 0) {
    actions.results.push_back({.call = call, .error = error});
    return actions;
  }
  if (state_ == State::Unread) actions.clock = false;
  const proto::Bytes command = bytes.first(size_in(bytes));
  actions.submit.emplace(command.begin(), command.end());
  state_ = State::Running;
  response_.clear();
  taken_ = 0;
  error_ = 0;
  written_ = bytes.size();
  if (nonblocking) {
    actions.results.push_back({.call = call, .written = written_});
  } else {
    writer_ = call;
  }
  return actions;
}

NodeActions NodeFile::read(Call call, std::size_t room) {
  NodeActions actions;
  const Reader reader{.call = call, .room = room};
  if (state_ == State::Running) {
    readers_.push_back(reader);
  } else {
    give(reader, actions);
  }
  return actions;
}

void NodeFile::give(const Reader& reader, NodeActions& actions) {
  CallResult result{.call = reader.call};
  if (state_ == State::Unread) {
    was_touched_ = true;
    result.error = std::exchange(error_, 0);
    const std::size_t count = std::min(reader.room, response_.size() - taken_);
    const proto::Bytes part = proto::Bytes(response_).subspan(taken_, count);
    result.read.assign(part.begin(), part.end());
    taken_ += count;
    // One that reads nothing lets all of it go.
    if (count == 0 || taken_ == response_.size()) become_idle(actions);
  }
  actions.results.push_back(std::move(result));
}

void NodeFile::give_waiting(NodeActions& actions) {
  for (const Reader& reader : std::exchange(readers_, {})) give(reader, actions);
}

void NodeFile::become_idle(NodeActions& actions) {
  if (state_ == State::Unread) actions.clock = false;
  state_ = State::Idle;
  response_.clear();
  taken_ = 0;
  error_ = 0;
  was_touched_ = true;
  actions.look_again = true;
}

NodeActions NodeFile::interrupt(Call call) {
  NodeActions actions;
  const auto reader = std::ranges::find(readers_, call, &Reader::call);
  if (writer_ == call) {
    writer_.reset();
    actions.cancel = true;
    become_idle(actions);
    give_waiting(actions);
  } else if (reader != readers_.end()) {
    readers_.erase(reader);
  } else {
    return actions;
  }
  actions.results.push_back({.call = call, .error = EINTR});
  return actions;
}

NodeActions NodeFile::finished(std::expected<proto::Buffer, int> outcome) {
  NodeActions actions;
  if (state_ != State::Running) return actions;
  const auto writer = std::exchange(writer_, std::nullopt);
  if (!outcome && writer) {
    actions.results.push_back({.call = *writer, .error = outcome.error()});
    become_idle(actions);
  } else {
    state_ = State::Unread;
    was_touched_ = false;
    error_ = outcome ? 0 : outcome.error();
    if (outcome) response_ = *std::move(outcome);
    if (writer) actions.results.push_back({.call = *writer, .written = written_});
    actions.clock = true;
    actions.look_again = true;
  }
  give_waiting(actions);
  return actions;
}

NodeActions NodeFile::timed_out() {
  NodeActions actions;
  if (state_ == State::Unread) become_idle(actions);
  return actions;
}

short NodeFile::events() const {
  switch (state_) {
    case State::Idle:
      return POLLOUT | POLLWRNORM;
    case State::Unread:
      return POLLIN | POLLRDNORM;
    default:
      return 0;
  }
}

}  // namespace tbs::node

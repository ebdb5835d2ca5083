#pragma once

// A tbsd of recorded answers, for subcommands and what they ask with.

#include <algorithm>
#include <deque>
#include <memory>
#include <sstream>
#include <vector>

#include "client/tbsctl/connection/conversation.h"
#include "client/tbsctl/text/console.h"

namespace tbs::test {

using ctl::Console;
using ctl::Conversation;
using ctl::Exit;
using ctl::Failure;
using ctl::Patience;
using ctl::Stream;

// A daemon of recorded answers: each request takes the next one. Bytes are handed over in small
// pieces, as a socket may.
struct Recorded {
  std::deque<proto::Buffer> answers;
  std::vector<proto::Buffer> requests;
  std::vector<client::Deadline> deadlines;  // with which bytes were waited for
};

class RecordedStream : public Stream {
 public:
  explicit RecordedStream(Recorded& recorded) : recorded_(recorded) {}

  std::expected<void, Failure> send(proto::Bytes bytes, client::Deadline) override {
    recorded_.requests.emplace_back(bytes.begin(), bytes.end());
    if (recorded_.answers.empty()) return std::unexpected(lost());
    const proto::Buffer& answer = recorded_.answers.front();
    pending_.insert(pending_.end(), answer.begin(), answer.end());
    recorded_.answers.pop_front();
    return {};
  }

  std::expected<std::size_t, Failure> receive(std::span<std::uint8_t> room,
                                              client::Deadline deadline) override {
    recorded_.deadlines.push_back(deadline);
    constexpr std::size_t kPiece = 7;
    const std::size_t count = std::min({room.size(), pending_.size(), kPiece});
    if (count == 0) return std::unexpected(lost());
    for (std::size_t i = 0; i < count; ++i) {
      room[i] = pending_.front();
      pending_.pop_front();
    }
    return count;
  }

 private:
  static Failure lost() { return {.exit = Exit::Unreachable, .message = "lost"}; }

  Recorded& recorded_;
  std::deque<std::uint8_t> pending_;
};

// For TEST_CASE_METHOD: what a subcommand runs with.
struct RecordedDaemon {
  Recorded recorded;
  Conversation daemon{std::make_unique<RecordedStream>(recorded)};
  std::ostringstream out;
  std::ostringstream notes;

  // Requests are numbered from 1.
  template <typename Answer>
  void answer(Answer message) {
    proto::Buffer frame;
    proto::append_frame(frame, ++last_id, message);
    recorded.answers.push_back(frame);
  }
  Console console(bool json = false) { return {.out = out, .notes = notes, .json = json}; }
  template <typename Request>
  Request request(std::size_t index) {
    const proto::Bytes frame(recorded.requests.at(index));
    return proto::decode<Request>(frame.subspan(proto::kFrameHeaderSize)).value();
  }

  std::uint64_t last_id = 0;
};

}  // namespace tbs::test

#pragma once

// What is open on one connection: the requests that wait for an answer, those that wait for a place
// in the daemon's window, and the commands whose result nobody has taken yet. It matches answers to
// requests and says when the daemon breaks the protocol. It has no socket and no lock: the channel
// that it belongs to uses all of it under its own.

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <vector>

#include "client/request.h"
#include "client/window.h"
#include "proto/frame.h"

namespace tbs::client {

class OpenRequests {
 public:
  // `window`: how many commands may be at the daemon at once. Numbers begin after `last_id`.
  explicit OpenRequests(unsigned window, std::uint64_t last_id = 0)
      : last_id_(last_id), window_(window) {}

  [[nodiscard]] std::uint64_t last_id() const { return last_id_; }

  // Why the connection has ended; empty while it has not.
  [[nodiscard]] const std::optional<proto::Status>& ended() const { return ended_; }

  // Each gives the request its number. A command is outstanding then, or held back; anything else
  // is outstanding.
  void enter_command(Request& request);
  void enter(Request& request);
  // A command whose result is taken later; TooManyResources when as many as the window allows are
  // open or not taken. It stays here until forget().
  std::expected<Request*, proto::Status> begin_command();
  // Null when there is none of this number.
  [[nodiscard]] Request* begun(std::uint64_t id);
  void forget(const Request& request);
  // Nobody will take the result: it goes when it comes. Until then it counts as open.
  void abandon(Request& request);

  // A cancel, of either kind, whose answer nobody waits for; its number.
  std::uint64_t post_cancel(RequestKind kind = RequestKind::Cancel);

  // Takes a frame of the daemon in. Success, or why the connection has to end.
  proto::Status dispatch(const proto::Frame& frame);

  // Requests that wait for a place wait no longer.
  void give_up_held_back(proto::Status why);
  // Ends all of them, and whatever is asked later; false when they had ended already. The first
  // reason holds. `of_commands` is what commands end with that the daemon may have had.
  bool end(proto::Status why, proto::Status of_commands);
  bool end(proto::Status why) { return end(why, why); }

  // Whether there is a result that nobody waits for.
  [[nodiscard]] bool result_ready() const;
  // Whether one is to come that is taken later.
  [[nodiscard]] bool result_awaited() const;
  // How many are to come or to be taken.
  [[nodiscard]] std::size_t begun_count() const { return begun_.size(); }
  // A request whose thread sleeps; null when there is none.
  [[nodiscard]] Request* sleeper() const;

 private:
  proto::Status finish_command(const proto::Frame& frame);
  template <typename Reply>
  proto::Status finish_asked(const proto::Frame& frame, RequestKind kind);
  proto::Status finish_question(const proto::Frame& frame);
  [[nodiscard]] proto::Status unknown_request() const;
  void leave_window();
  void forget_abandoned();

  std::optional<proto::Status> ended_;
  std::uint64_t last_id_;
  Window window_;
  RequestList outstanding_;
  std::vector<std::unique_ptr<Request>> begun_;   // not taken yet
  std::vector<std::unique_ptr<Request>> posted_;  // answered to nobody
};

}  // namespace tbs::client

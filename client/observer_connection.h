#pragma once

// Questions on a connection of their own, which is no context: for the functions that need none.

#include <expected>
#include <string>
#include <utility>

#include "client/handshake.h"

namespace tbs::client {

class ObserverConnection {
 public:
  // Connects as one who owns nothing on the TPM. Fails with a return code of Tbsi_GetDeviceInfo.
  static std::expected<ObserverConnection, proto::Status> begin(const std::string& path) {
    auto greeted = handshake(path, {.role = proto::Role::Observer, .wanted = 0});
    if (!greeted) return std::unexpected(greeted.error());
    return ObserverConnection(std::move(greeted->connection));
  }

  // The answer, whatever its status. Byte fields in it are valid until the next question.
  template <typename Question>
  std::expected<proto::ReplyTo<Question>, proto::Status> ask(const Question& question) {
    return ask(question, Clock::now() + kAnswerPatience);
  }
  // Several that must end together have one deadline.
  template <typename Question>
  std::expected<proto::ReplyTo<Question>, proto::Status> ask(const Question& question,
                                                             Deadline deadline) {
    proto::Buffer frame;
    proto::append_frame(frame, 1, question);
    return client::ask<proto::ReplyTo<Question>>(connection_, frame, deadline);
  }

 private:
  explicit ObserverConnection(Connection connection) : connection_(std::move(connection)) {}

  Connection connection_;
};

}  // namespace tbs::client

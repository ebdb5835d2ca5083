#pragma once

// A transport session of a TPM 1.2 as its client sees it: wraps commands, unencrypted, and checks
// what comes back (Part 3, "Transport sessions").

#include <cstdint>

#include "tests/support/client12/client.h"

namespace tbs::test::client12 {

class Transport {
 public:
  // Establishes one that is bound to no key. Throws when the TPM refuses.
  explicit Transport(Client& client);

  // Wraps a command. `outer_code` is what TPM_ExecuteTransport itself returned; unless it is 0, the
  // reply is empty.
  Reply run(const Client::Command& command);
  [[nodiscard]] std::uint32_t outer_code() const { return outer_code_; }
  // Lets the next command end the session.
  void end() { session_.goes_on = false; }

  Session& session() { return session_; }

 private:
  Client& client_;
  Session session_;
  std::uint32_t outer_code_ = 0;
};

}  // namespace tbs::test::client12

#pragma once

// Looks at the TPM, as a series of commands told one by one. It is part of a client's execution
// when the tables are in doubt, and of the bring-up.

#include <cstdint>
#include <optional>

#include "daemon/rm12/reconcile.h"
#include "daemon/rm12/state.h"

namespace tbs::rm12 {

// The TPM's lists of handles.
class ListHandles {
 public:
  // The next command; empty when all were asked for.
  [[nodiscard]] std::optional<proto::Buffer> next() const;
  // Takes the response. False when it makes no sense.
  bool take(proto::Bytes response);
  [[nodiscard]] const HandleLists& lists() const { return lists_; }

 private:
  std::size_t asked_ = 0;
  HandleLists lists_;
};

class TpmProbe {
 public:
  enum class Reason : std::uint8_t {
    BringUp,  // the device was opened
    Restart,  // the TPM says that it wants to be started
    Check,    // the tables are in doubt
  };

  TpmProbe(State& state, Reason reason);

  // The next command; empty when there is nothing more to look at: the tables agree with the TPM,
  // but for the strays that there are now.
  std::optional<proto::Buffer> next();
  // Takes the response to it. False when the TPM cannot be used.
  bool take(proto::Bytes response);

 private:
  void compare();

  State& state_;
  Reason reason_;
  bool starting_;
  bool compared_ = false;
  ListHandles handles_;
};

// How much fits into the TPM.
class Room {
 public:
  explicit Room(State& state) : state_(state) {}

  [[nodiscard]] std::optional<proto::Buffer> next() const;
  bool take(proto::Bytes response);

 private:
  State& state_;
  std::size_t asked_ = 0;
};

}  // namespace tbs::rm12

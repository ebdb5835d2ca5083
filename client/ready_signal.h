#pragma once

// The descriptor that a program polls for results: readable when the socket has something to read,
// or when a result was already read by some other thread and waits to be taken.

#include "client/descriptor.h"

namespace tbs::client {

class ReadySignal {
 public:
  // Makes the descriptor on first use; -1 when the system has none left.
  int descriptor(int socket);

  // Whether results are waiting.
  void set(bool ready);

 private:
  Descriptor event_;
  Descriptor poll_;
  bool ready_ = false;
};

}  // namespace tbs::client

#pragma once

// The descriptor that a program polls for results: readable when a result was read and waits to be
// taken, or when the socket that one is to come on has something to read. A socket is watched only
// as long as one is to come on it: the end of a connection that nobody waits for wakes nobody.
//
// While a result is to come, it is readable as well when the context is cancelled through its
// cancel descriptor: somebody has to look, and pass that on.
//
// It belongs to a context and outlives its connections, so its number stays the same. The locks of
// channels are taken before its own.

#include <mutex>

#include "client/cancel_signal.h"
#include "client/descriptor.h"

namespace tbs::client {

class ReadySignal {
 public:
  // Makes the descriptor on first use; -1 when the system has none left.
  int descriptor();

  // A source of results has some that wait, or no longer.
  void add();
  void remove();

  [[nodiscard]] CancelSignal& cancel() { return cancel_; }
  // The cancel descriptor was made, maybe with results to come.
  void watch_cancel();

  // Results are to come on this socket, or no longer. One at a time is watched.
  void watch(int socket);
  void unwatch(int socket);

 private:
  void change_sources(int by);
  [[nodiscard]] bool see(int socket) const;

  CancelSignal cancel_;
  std::mutex mutex_;
  Descriptor event_;
  Descriptor poll_;
  int sources_ = 0;
  int watched_ = -1;
  bool blind_ = false;  // the kernel had no memory to watch it
};

}  // namespace tbs::client

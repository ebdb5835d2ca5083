#pragma once

// A process of another user with many connections to the daemon, all of which ask the same as fast
// as they may.

#include <cstddef>
#include <string>

#include <sys/types.h>

#include "proto/byte_writer.h"

namespace tbs::bench {

struct Flooding {
  std::string socket;
  uid_t user = 0;
  std::size_t contexts = 0;
  std::size_t observers = 0;
  // What each connection sends, over and over: whole frames. Empty: connections come and go.
  proto::Buffer frames;
  bool reads = true;
};

class FloodingProcess {
 public:
  // Returns when all are connected, and the flood has begun. Throws when it does not come to that.
  explicit FloodingProcess(const Flooding& flooding);
  ~FloodingProcess();
  FloodingProcess(const FloodingProcess&) = delete;
  FloodingProcess& operator=(const FloodingProcess&) = delete;

 private:
  pid_t pid_ = 0;
};

// From now on the calling thread is this user, all others of the process stay who they are.
void become_user_in_thread(uid_t user);

}  // namespace tbs::bench

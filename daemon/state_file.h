#pragma once

// A small text that outlives the daemon. It is read at the start and written by a thread of its
// own, the newest text only: a disk may be slow, and the loop must not wait for it.

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace tbs {

class StateFile {
 public:
  // Without a path nothing is kept.
  explicit StateFile(std::string path);
  // Waits until what was given to write() is written.
  ~StateFile();
  StateFile(const StateFile&) = delete;
  StateFile& operator=(const StateFile&) = delete;

  // Empty when there is none.
  [[nodiscard]] std::string read() const;
  void write(std::string text);

 private:
  void work();

  std::string path_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<std::string> pending_;
  bool ending_ = false;
  std::jthread writer_;
};

}  // namespace tbs

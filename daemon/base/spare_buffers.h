#pragma once

// Memory for bytes that come and go with every command, such as a response that waits for its
// client: what one buffer has left, the next one gets, without a look at the heap. Each thread has
// its own, and keeps a few.

#include <cstddef>
#include <utility>
#include <vector>

#include "daemon/base/reused_memory.h"
#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs {

class SpareBuffers {
 public:
  static SpareBuffers& of_thread() {
    static thread_local SpareBuffers buffers;
    return buffers;
  }

  [[nodiscard]] proto::Buffer copy_of(proto::Bytes bytes) {
    proto::Buffer copy;
    if (!spare_.empty()) {
      copy = std::move(spare_.back());
      spare_.pop_back();
    }
    copy.assign(bytes.begin(), bytes.end());
    return copy;
  }
  // Nobody looks at the buffer any more.
  void give(proto::Buffer buffer) {
    if (buffer.capacity() == 0 || buffer.capacity() > kLargest || spare_.size() >= kMost) return;
    spare_.push_back(std::move(buffer));
  }

  [[nodiscard]] std::size_t size() const { return spare_.size(); }

 private:
  static constexpr std::size_t kMost = kBlocksKept;
  static constexpr std::size_t kLargest = 4096;

  std::vector<proto::Buffer> spare_;
};

}  // namespace tbs

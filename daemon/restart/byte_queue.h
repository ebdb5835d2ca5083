#pragma once

// Bytes that come at the end and go at the front.

#include <algorithm>
#include <cstddef>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::restart {

class ByteQueue {
 public:
  void push(proto::Bytes bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  // There must be as many.
  void pop(std::size_t count) {
    begin_ += count;
    if (begin_ == bytes_.size()) {
      bytes_.clear();
      begin_ = 0;
    } else if (begin_ > kMostGone && begin_ > bytes_.size() / 2) {
      bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin_));
      begin_ = 0;
    }
  }

  [[nodiscard]] proto::Bytes bytes() const { return proto::Bytes(bytes_).subspan(begin_); }
  [[nodiscard]] std::size_t size() const { return bytes_.size() - begin_; }

 private:
  static constexpr std::size_t kMostGone = 4096;

  proto::Buffer bytes_;
  std::size_t begin_ = 0;
};

}  // namespace tbs::restart

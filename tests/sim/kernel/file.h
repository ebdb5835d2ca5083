#pragma once

// What is behind a descriptor of the simulated kernel. A file that nobody has any more is gone.

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>

namespace tbs::sim {

class File {
 public:
  // Bytes moved, or an errno value.
  using Moved = std::expected<std::size_t, int>;

  File() = default;
  virtual ~File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  virtual Moved read(std::span<std::uint8_t>) { return std::unexpected(EINVAL); }
  virtual Moved write(std::span<const std::uint8_t>) { return std::unexpected(EINVAL); }
  // Of EPOLLIN, EPOLLOUT, ...
  [[nodiscard]] virtual std::uint32_t ready() { return 0; }
  // Bytes that can be read.
  [[nodiscard]] virtual std::size_t available() { return 0; }
  virtual void shut_down() {}
  // It is watched by the event loop from now on, or looked at by it.
  virtual void watched() {}

  // Something has come: who waits for an edge has one.
  void wake() { ++edges_; }
  [[nodiscard]] std::uint64_t edges() const { return edges_; }

 private:
  std::uint64_t edges_ = 1;
};

using SharedFile = std::shared_ptr<File>;

}  // namespace tbs::sim

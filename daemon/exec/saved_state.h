#pragma once

// The context with which an object or session can be loaded again, and of which state of it that
// is. What has been used since it was saved must never be brought back from that context: the TPM
// would take it and go on from the older state, and no response would show it.

#include <cstdint>
#include <utility>

#include "proto/byte_writer.h"

namespace tbs::exec {

class SavedState {
 public:
  // `changes`: whether commands change what this is about. Sequences and sessions change with every
  // command that names them; keys do not.
  explicit SavedState(bool changes) : changes_(changes) {}

  // A command that names it goes to the TPM. Whatever becomes of that command (refused, cancelled,
  // unanswered), the TPM may have gone on from the state that was saved.
  void note_use() { ++uses_; }
  // The same for a command that may change even what commands do not change.
  void note_change() {
    ++uses_;
    context_.clear();
  }
  // The TPM has saved it as it is now.
  void store(proto::Buffer context) {
    context_ = std::move(context);
    saved_at_ = uses_;
  }
  void clear() { context_.clear(); }

  // Whether there is a context that brings it back as it is now.
  [[nodiscard]] bool current() const { return !context_.empty() && is_newest(); }
  // That context; empty where there is none.
  [[nodiscard]] const proto::Buffer& context() const {
    static const proto::Buffer none;
    return current() ? context_ : none;
  }
  // Whether it was not used since what is kept here was saved. For checking what current() says.
  [[nodiscard]] bool is_newest() const { return !changes_ || saved_at_ == uses_; }

  template <typename Record>
  void fields(Record& record) {
    record(context_, uses_, saved_at_);
  }

 private:
  proto::Buffer context_;
  std::uint64_t uses_ = 0;
  std::uint64_t saved_at_ = 0;
  bool changes_;
};

}  // namespace tbs::exec

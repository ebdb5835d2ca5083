#pragma once

// Reads a message from its beginning to its end and writes down its fields. It is bounded twice: by
// the message, and by the structure that is being read, whose size is in front of it. After a fault
// nothing more is read.

#include <cstdint>
#include <string>
#include <string_view>

#include "proto/byte_reader.h"
#include "proto/dissect/dissection.h"

namespace tbs::dissect {

class FieldWriter {
 public:
  FieldWriter(proto::Bytes message, Dissection& into) : message_(message), into_(into) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t offset() const { return offset_; }
  // Bytes up to the end of what is being read.
  [[nodiscard]] std::size_t left() const { return end() - offset_; }
  [[nodiscard]] proto::Bytes ahead() const { return message_.subspan(offset_, left()); }

  // Fields. A number is 0 after a fault; its meaning is said behind it.
  std::uint64_t number(std::string_view name, std::string_view type, unsigned width);
  void say(std::string text);
  void bytes(std::string_view name, std::string_view type, std::size_t size);
  // A number of bytes or of items, `width` bytes long.
  std::size_t size_of(std::string_view name, unsigned width);
  // What nobody can tell the meaning of, up to the end of what is being read.
  void opaque(std::string_view name, std::string text);

  // `inside` writes the parts.
  template <typename Inside>
  void group(std::string_view name, std::string_view type, Inside inside) {
    if (!ok_) return;
    const std::size_t at = open(name, type);
    inside();
    close(at);
  }
  // The same for a part of `size` bytes, all of which it must read.
  template <typename Inside>
  void bounded(std::string_view name, std::size_t size, Inside inside) {
    if (!ok_ || !has(name, size)) return;
    const std::size_t outer = end_;
    end_ = offset_ + size;
    inside();
    expect_end(name);
    end_ = outer;
  }
  // Bytes that are secret, whatever they mean.
  template <typename Inside>
  void secret(bool is, Inside inside) {
    const bool outer = secret_;
    secret_ = outer || is;
    inside();
    secret_ = outer;
  }

  // Says what is wrong with the field that was written last.
  void fault(std::string text);
  void fault_at(std::size_t offset, std::string text);
  // Remarks do not end the reading.
  void remark_at(std::size_t offset, std::string text);
  // Fails when bytes of `name` are left.
  void expect_end(std::string_view name);
  // After everything: bytes that were not read get a field of their own.
  void finish();

 private:
  [[nodiscard]] std::size_t end() const { return end_ < message_.size() ? end_ : message_.size(); }
  bool has(std::string_view name, std::size_t size);
  Field& add(Field::Kind kind, std::string_view name, std::string_view type, std::size_t size);
  std::size_t open(std::string_view name, std::string_view type);
  void close(std::size_t group);

  proto::Bytes message_;
  Dissection& into_;
  std::size_t offset_ = 0;
  std::size_t end_ = SIZE_MAX;
  std::uint8_t depth_ = 0;
  bool secret_ = false;
  bool ok_ = true;
};

}  // namespace tbs::dissect

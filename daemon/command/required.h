#pragma once

// A member of an aggregate that whoever makes one has to give: left out, it does not compile.

#include <utility>

namespace tbs {

template <typename T>
class Required {
 public:
  // Conversions both ways are what it is for: it is written and read like the T that it holds.
  Required(T value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  operator const T&() const { return value_; }     // NOLINT(google-explicit-constructor)
  const T& operator*() const { return value_; }
  const T* operator->() const { return &value_; }

  // Takes the value out.
  T release() && { return std::move(value_); }

 private:
  T value_;
};

}  // namespace tbs

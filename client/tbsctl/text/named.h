#pragma once

// Values that have names on the command line and in the output, listed once and read both ways.

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace tbs::ctl {

template <typename Value>
struct Named {
  Value value;
  std::string_view name;
};

template <typename Value, std::size_t kCount>
using Names = std::array<Named<Value>, kCount>;

template <typename Value, std::size_t kCount>
std::optional<std::string_view> name_of(const Names<Value, kCount>& names, Value value) {
  const auto found = std::ranges::find(names, value, &Named<Value>::value);
  return found == names.end() ? std::nullopt : std::optional(found->name);
}

template <typename Value, std::size_t kCount>
std::optional<Value> value_of(const Names<Value, kCount>& names, std::string_view name) {
  const auto found = std::ranges::find(names, name, &Named<Value>::name);
  return found == names.end() ? std::nullopt : std::optional(found->value);
}

// "raw, mssim, swtpm"
template <typename Value, std::size_t kCount>
std::string listed(const Names<Value, kCount>& names) {
  std::string text;
  for (const Named<Value>& each : names) {
    text += text.empty() ? "" : ", ";
    text += each.name;
  }
  return text;
}

}  // namespace tbs::ctl

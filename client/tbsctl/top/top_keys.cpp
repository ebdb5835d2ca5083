#include "client/tbsctl/top/top_keys.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "client/tbsctl/text/named.h"

namespace tbs::ctl {
namespace {

using KeyName = TopKey::Kind;

constexpr char kEscape = 0x1b;
// A longer one is none.
constexpr std::size_t kLongestSequence = 16;

// Behind ESC [ or ESC O (ECMA-48; xterm's and the Linux console's keys).
constexpr Names<KeyName, 10> kKeySequences = {{{KeyName::Up, "A"},
                                               {KeyName::Down, "B"},
                                               {KeyName::Home, "H"},
                                               {KeyName::End, "F"},
                                               {KeyName::Home, "1~"},
                                               {KeyName::End, "4~"},
                                               {KeyName::PageUp, "5~"},
                                               {KeyName::PageDown, "6~"},
                                               {KeyName::Home, "7~"},
                                               {KeyName::End, "8~"}}};

bool begins_sequence(std::string_view bytes) {
  return bytes.size() >= 2 && bytes[0] == kEscape && (bytes[1] == '[' || bytes[1] == 'O');
}

// How long the sequence at the start of `bytes` is; nothing when its end has not come.
std::optional<std::size_t> sequence_size(std::string_view bytes) {
  const auto end =
      std::ranges::find_if(bytes.substr(2), [](char c) { return c >= '@' && c <= '~'; });
  if (end == bytes.end()) return std::nullopt;
  return static_cast<std::size_t>(end - bytes.begin()) + 1;
}

std::optional<TopKey> key_of(char byte) {
  if (byte == '\r' || byte == '\n') return TopKey{.kind = KeyName::Enter};
  if (byte == kEscape) return TopKey{.kind = KeyName::Escape};
  if ((byte >= ' ' && byte <= '~') || byte == '\f') return TopKey{.letter = byte};
  return std::nullopt;
}

}  // namespace

std::vector<TopKey> TopKeyReader::read(std::string_view bytes) {
  const std::string all = std::exchange(pending_, {}) + std::string(bytes);
  std::string_view rest = all;
  std::vector<TopKey> keys;
  while (!rest.empty()) {
    if (!begins_sequence(rest)) {
      if (const auto key = key_of(rest.front())) keys.push_back(*key);
      rest.remove_prefix(1);
      continue;
    }
    const auto size = sequence_size(rest);
    if (!size && rest.size() < kLongestSequence) {
      pending_ = rest;
      break;
    }
    const std::size_t used = std::min(size.value_or(kLongestSequence), kLongestSequence);
    if (const auto kind = value_of(kKeySequences, rest.substr(2, used - 2))) {
      keys.push_back({.kind = *kind});
    }
    rest.remove_prefix(used);
  }
  return keys;
}

}  // namespace tbs::ctl

#pragma once

// Rules by the commands that they are about, so that a command is held against those alone: most
// rules are about a few commands, and each command of every client is asked for.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "proto/rules/rules.h"

namespace tbs::rules {

class RuleIndex {
 public:
  RuleIndex() = default;
  explicit RuleIndex(const Rules& rules);

  // The places in Rules::rules of those that this command can fit, in their order.
  [[nodiscard]] std::span<const std::size_t> about(std::uint32_t command) const;

 private:
  // Commands from `first` up to the next segment's are all in the same rules.
  struct Segment {
    std::uint32_t first = 0;
    std::vector<std::size_t> places;
  };

  std::vector<Segment> segments_;
};

// As evaluate(rules, facts); `index` is that of these rules.
[[nodiscard]] Match evaluate(const Rules& rules, const RuleIndex& index, const CommandFacts& facts);

}  // namespace tbs::rules

#pragma once

// Where a subcommand prints: data to `out`, as a table or as JSON, and remarks that are not data
// (the decoded response code beside a response in hex) to `notes`.

#include <ostream>

#include <nlohmann/json_fwd.hpp>

namespace tbs::ctl {

struct Console {
  std::ostream& out;
  std::ostream& notes;
  bool json = false;
  std::ostream* raw = nullptr;

  // For bytes that are no text. Nobody filters them.
  [[nodiscard]] std::ostream& bytes() const { return raw == nullptr ? out : *raw; }
};

// One JSON document in ASCII, so that no text in it can steer a terminal, and a newline. Text that
// is not UTF-8 is replaced, never an exception.
void print_json(std::ostream& out, const nlohmann::ordered_json& document);
// The same in one line, for documents that come one after the other.
void print_json_line(std::ostream& out, const nlohmann::ordered_json& document);

}  // namespace tbs::ctl

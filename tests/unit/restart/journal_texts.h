#pragma once

// What a journal has, in a form that tests compare and print.

#include <string>
#include <utility>
#include <vector>

#include "daemon/restart/journal.h"
#include "daemon/restart/journal_reader.h"

namespace tbs::test {

using JournalTexts = std::vector<std::pair<unsigned, std::string>>;

inline proto::Bytes bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline void append(restart::Journal& journal, unsigned kind, const std::string& text) {
  journal.append(static_cast<std::uint16_t>(kind), bytes_of(text));
}

inline JournalTexts texts_of(restart::JournalEntries entries) {
  JournalTexts texts;
  while (const auto entry = entries.next()) {
    texts.emplace_back(entry->kind, std::string(entry->payload.begin(), entry->payload.end()));
  }
  return texts;
}

}  // namespace tbs::test

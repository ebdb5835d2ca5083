#pragma once

// What a terminal sends for keys, as keys.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tbs::ctl {

struct TopKey {
  enum class Kind : std::uint8_t { Letter, Up, Down, PageUp, PageDown, Home, End, Enter, Escape };
  Kind kind = Kind::Letter;
  char letter = 0;  // printable ASCII, or Ctrl-L (0x0c)
  bool operator==(const TopKey&) const = default;
};

class TopKeyReader {
 public:
  // Bytes come as the terminal sends them, sequences in one piece or in several. What is no key
  // that is known is passed over.
  std::vector<TopKey> read(std::string_view bytes);

 private:
  std::string pending_;  // a sequence that has not ended
};

}  // namespace tbs::ctl

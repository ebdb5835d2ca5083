#include "client/tbsctl/text/display_width.h"

#include <cwchar>
#include <locale.h>

namespace tbs::ctl {
namespace {

constexpr std::string_view kCut = "...";

// The C library's own tables, for this thread and as long as the object lives. Where a library has
// not got this locale, each character is a column.
class Utf8Locale {
 public:
  Utf8Locale() : before_(::uselocale(utf8())) {}
  ~Utf8Locale() { ::uselocale(before_); }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  static locale_t utf8() {
    static const locale_t kLocale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return kLocale;  // uselocale() takes null for no change
  }

  locale_t before_;
};

struct Character {
  std::size_t bytes = 1;
  std::size_t columns = 1;
};

bool continues(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80;
}

Character first_character(std::string_view text) {
  std::mbstate_t state{};
  wchar_t wide = 0;
  const std::size_t bytes = std::mbrtowc(&wide, text.data(), text.size(), &state);
  if (bytes == 0 || bytes > text.size()) {
    Character unknown;
    while (unknown.bytes < text.size() && continues(text[unknown.bytes])) ++unknown.bytes;
    return unknown;
  }
  const int columns = ::wcwidth(wide);
  return {.bytes = bytes, .columns = columns < 0 ? 1 : static_cast<std::size_t>(columns)};
}

// The bytes that fit, and the columns that they take.
Character leading(std::string_view text, std::size_t columns) {
  const Utf8Locale locale;
  Character all{.bytes = 0, .columns = 0};
  while (all.bytes < text.size()) {
    const Character next = first_character(text.substr(all.bytes));
    if (all.columns + next.columns > columns) break;
    all.bytes += next.bytes;
    all.columns += next.columns;
  }
  return all;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  return leading(text, std::string_view::npos).columns;
}

std::string shortened(std::string_view text, std::size_t columns) {
  const std::size_t whole = leading(text, columns).bytes;
  if (whole == text.size()) return std::string(text);
  const std::string_view cut = kCut.substr(0, columns);
  const std::size_t kept = leading(text, columns - cut.size()).bytes;
  return std::string(text.substr(0, kept)) + std::string(cut);
}

}  // namespace tbs::ctl

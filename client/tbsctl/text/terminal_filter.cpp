#include "client/tbsctl/text/terminal_filter.h"

#include <array>
#include <span>
#include <string_view>

#include "proto/terminal_text.h"

namespace tbs::ctl {
namespace {

// A line of more is passed on in pieces.
constexpr std::size_t kMostHeld = 4096;

constexpr std::array<std::string_view, 4> kSequences = {"\x1b[0m", "\x1b[32m", "\x1b[33m",
                                                        "\x1b[31m"};

bool is_ascii(char character) {
  return static_cast<unsigned char>(character) < 0x80;
}

}  // namespace

TerminalFilter::int_type TerminalFilter::overflow(int_type character) {
  if (!traits_type::eq_int_type(character, traits_type::eof())) {
    take(traits_type::to_char_type(character));
  }
  return out_ ? traits_type::not_eof(character) : traits_type::eof();
}

std::streamsize TerminalFilter::xsputn(const char* text, std::streamsize size) {
  for (const char character : std::span(text, static_cast<std::size_t>(size))) take(character);
  return out_ ? size : 0;
}

int TerminalFilter::sync() {
  pass_on();
  out_.flush();
  return out_ ? 0 : -1;
}

void TerminalFilter::set_colour(Colour colour) {
  if (!terminal_.colours) return;
  pass_on();
  out_ << kSequences.at(static_cast<std::size_t>(colour));
}

void TerminalFilter::take(char character) {
  if (character == '\n') {
    pass_on();
    out_ << '\n';
    return;
  }
  // Not in the middle of a character.
  if (held_.size() >= kMostHeld && is_ascii(character)) pass_on();
  held_ += character;
  if (held_.size() >= 2 * kMostHeld) pass_on();
}

void TerminalFilter::pass_on() {
  out_ << proto::terminal_text(held_);
  held_.clear();
}

std::ostream& operator<<(std::ostream& out, const Coloured& word) {
  auto* const filter = dynamic_cast<TerminalFilter*>(out.rdbuf());
  if (filter == nullptr || word.colour == Colour::Plain) return out << word.text;
  filter->set_colour(word.colour);
  out << word.text;
  filter->set_colour(Colour::Plain);
  return out;
}

std::optional<std::size_t> columns_of(const std::ostream& out) {
  const auto* const filter = dynamic_cast<const TerminalFilter*>(out.rdbuf());
  return filter == nullptr ? std::nullopt : filter->terminal().columns;
}

}  // namespace tbs::ctl
